// A native file input behind a label that looks like a button: its text goes to the server, the file itself does not.
export default {
  template: `
    <span class="qu-file-picker">
      <input class="qu-drop-input" type="file" :id="'file-' + uid" :accept="accept" @change="choose">
      <label class="qu-btn qu-btn-secondary qu-btn-md" :for="'file-' + uid">{{ label }}
        <svg class="qu-icon" viewBox="0 0 24 24" aria-hidden="true">
          <path d="M12 3v12M17 8l-5-5-5 5M21 15v4a2 2 0 0 1-2 2H5a2 2 0 0 1-2-2v-4"/></svg>
      </label>
    </span>`,
  props: { label: String, accept: String, max: Number },
  data() {
    return { uid: Math.random().toString(36).slice(2, 8) };
  },
  methods: {
    async choose(event) {
      const file = event.target.files[0];
      event.target.value = ""; // so that the same file can be chosen again after it was mended
      if (!file) return;
      if (file.size > this.max) this.$emit("refused", file.name);
      else this.$emit("text", { name: file.name, text: await file.text() });
    },
  },
};
