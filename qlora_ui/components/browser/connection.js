// Says whether the page is connected to its server: the state of the page's own socket, not a guess.
export default {
  template: `
    <span class="qu-connection" role="status" :data-state="state" :title="words[state][1]">
      <span class="qu-connection-dot"></span><span class="qu-connection-word">{{ words[state][0] }}</span>
    </span>`,
  props: { words: Object }, // state → its word and a sentence about it
  data: () => ({ state: "checking" }),
  mounted() {
    this.attach();
  },
  unmounted() {
    clearTimeout(this.timer);
    for (const change of ["online", "offline"]) window.removeEventListener(change, this.ask);
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
      for (const change of ["online", "offline"]) window.addEventListener(change, this.ask);
      if (this.socket.connected) this.found();
    },
    async ask() {
      // the network of this machine changed, which need not matter: the server may run on it
      try {
        await fetch(`${window.path_prefix || ""}/healthz`, { cache: "no-store" });
        if (this.socket.connected) this.found();
      } catch {
        this.lost();
      }
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
