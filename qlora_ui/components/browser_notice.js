// Shows a notification of the browser while the app is out of sight: one, however many of its tabs are open.
const LISTEN_MS = 300;

export default {
  template: `<span hidden></span>`,
  mounted() {
    this.seen = new Set();
    this.channel = new BroadcastChannel("qlora-ui-notices");
    this.channel.onmessage = (event) => this.seen.add(event.data);
  },
  unmounted() {
    this.channel.close();
  },
  methods: {
    state() {
      return window.isSecureContext && "Notification" in window ? Notification.permission : "unsupported";
    },
    async ask() {
      return this.state() === "default" ? Notification.requestPermission() : this.state();
    },
    async show(title, body, tag, path) {
      if (!document.hidden) {
        this.channel.postMessage(tag);
        return;
      }
      if (this.state() !== "granted") return;
      await new Promise((resolve) => setTimeout(resolve, LISTEN_MS)); // a tab in sight shows it, and says so meanwhile
      if (this.seen.delete(tag)) return;
      try {
        const notice = new Notification(title, { body, tag, icon: "/favicon.ico" }); // the same tag is shown once
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
