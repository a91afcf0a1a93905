// What the browser says of notifications. Asking must happen within a click, so the server cannot do it later.
export default {
  template: `<template></template>`,
  mounted() {
    this.tell();
    navigator.permissions?.query({ name: "notifications" }).then(
      (status) => {
        this.status = status;
        status.onchange = () => this.tell();
      },
      () => {}, // a browser that does not know this question still answers the others
    );
  },
  beforeUnmount() {
    if (this.status) this.status.onchange = null;
  },
  methods: {
    tell() {
      if (!window.isSecureContext) this.$emit("state", "insecure");
      else this.$emit("state", "Notification" in window ? Notification.permission : "missing");
    },
    async ask() {
      if (window.isSecureContext && "Notification" in window && Notification.permission === "default") {
        await Notification.requestPermission();
      }
      this.tell();
    },
  },
};
