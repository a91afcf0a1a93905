// Shows a notification of the browser while the app is out of sight: one, however many of its tabs are open.
const LISTEN_MS = 300;

export default {
  template: `<template></template>`,
  mounted() {
    this.seen = new Set();
    this.channel = new BroadcastChannel("qlora-ui-notices");
    this.channel.onmessage = (event) => this.seen.add(event.data);
  },
  beforeUnmount() {
    this.channel.close();
  },
  methods: {
    async show(title, body, tag, path) {
      if (!document.hidden) {
        this.channel.postMessage(tag);
        return;
      }
      if (!window.isSecureContext || !("Notification" in window) || Notification.permission !== "granted") return;
      await new Promise((resolve) => setTimeout(resolve, LISTEN_MS)); // a tab in sight says so meanwhile
      if (this.seen.delete(tag)) return;
      try {
        const notice = new Notification(title, { body, tag, icon: "/favicon.ico" }); // of a tag, one is shown
        notice.onclick = () => this.open(notice, path);
      } catch {
        // some phones take them from a service worker only; the bell has it
      }
    },
    open(notice, path) {
      window.focus();
      notice.close();
      if (path && path !== location.pathname + location.hash) location.assign(path);
    },
  },
};
