// Says whether the page is connected to its server: the state of the page's own socket, not a guess.
const words = { online: "Online", checking: "Connecting", offline: "Offline" };
const explanations = {
  online: "This page is connected to its server.",
  checking: "This page looks for its server. Runs go on meanwhile.",
  offline: "This page cannot reach its server. Runs go on without it.",
};

export default {
  template: `<span class="qu-connection" role="status" :data-state="state" :title="explanation"><span class="qu-connection-dot"></span>{{ word }}</span>`,
  data: () => ({ state: "checking" }),
  computed: {
    word() {
      return words[this.state];
    },
    explanation() {
      return explanations[this.state];
    },
  },
  mounted() {
    this.attach();
  },
  unmounted() {
    clearTimeout(this.timer);
    window.removeEventListener("offline", this.lost);
    this.socket?.off("connect", this.found);
    this.socket?.off("disconnect", this.searching);
    this.socket?.off("connect_error", this.lost);
  },
  methods: {
    attach() {
      if (!window.socket) {
        this.timer = setTimeout(this.attach, 50); // the page makes its socket after its elements
        return;
      }
      this.socket = window.socket;
      this.socket.on("connect", this.found);
      this.socket.on("disconnect", this.searching);
      this.socket.on("connect_error", this.lost);
      window.addEventListener("offline", this.lost);
      if (this.socket.connected) this.found();
    },
    found() {
      this.state = "online";
    },
    searching() {
      this.state = "checking";
    },
    lost() {
      this.state = "offline";
    },
  },
};
