// A file goes to the server as the body of one PUT: no copy in memory, whatever its size.
export default {
  template: `
    <div class="qu-drop-zone" :class="{ over, busy: request !== null }"
         @dragenter.prevent="over = true" @dragover.prevent="over = true"
         @dragleave.prevent="leave" @drop.prevent="drop">
      <input ref="input" class="qu-drop-input" type="file" :id="'drop-' + uid" :accept="accept" :disabled="request !== null"
             :aria-describedby="'drop-hint-' + uid + ' drop-error-' + uid" @change="choose">
      <template v-if="request === null">
        <label class="qu-drop-label" :for="'drop-' + uid">
          <svg class="i" viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-linecap="round"
               stroke-linejoin="round" aria-hidden="true">
            <path d="M12 3v12M17 8l-5-5-5 5M21 15v4a2 2 0 0 1-2 2H5a2 2 0 0 1-2-2v-4"/></svg>
          <span>{{ prompt[0] }}<b>{{ words.choose }}</b>{{ prompt[1] }}</span>
        </label>
      </template>
      <div v-else class="qu-drop-progress">
        <div class="qu-drop-line"><b>{{ name }}</b><span>{{ progressText }}</span></div>
        <div class="qu-drop-bar" role="progressbar" :aria-label="fill(words.upload, { name })" aria-valuemin="0"
             aria-valuemax="100" :aria-valuenow="percent"><i :style="{ width: percent + '%' }"></i></div>
        <button ref="cancel" class="qu-drop-cancel" type="button" @click="cancel">{{ words.cancel }}</button>
      </div>
      <p class="qu-drop-hint" :id="'drop-hint-' + uid">{{ words.hint }}</p>
      <p class="qu-drop-error" :id="'drop-error-' + uid" role="alert">{{ error }}</p>
    </div>`,
  props: { url: String, accept: String, words: Object },
  data() {
    return { uid: Math.random().toString(36).slice(2, 8), over: false, request: null, name: "", sent: 0, size: 0, error: "" };
  },
  computed: {
    percent() {
      return this.size ? Math.floor((100 * this.sent) / this.size) : 0;
    },
    progressText() {
      if (this.sent >= this.size) return this.words.writing;
      return fill(this.words.sent, { sent: bytes(this.sent), size: bytes(this.size) });
    },
    prompt() {
      return this.words.prompt.split("{choose}");
    },
  },
  beforeUnmount() {
    this.request?.abort();
  },
  methods: {
    fill,
    leave(event) {
      if (!this.$el.contains(event.relatedTarget)) this.over = false;
    },
    drop(event) {
      this.over = false;
      if (this.request !== null) return;
      const files = event.dataTransfer.files;
      if (files.length === 1) this.send(files[0]);
      else if (files.length > 1) this.error = this.words.several;
      else this.error = this.words.none;
    },
    choose(event) {
      const file = event.target.files[0];
      event.target.value = ""; // so that the same file can be chosen again after it was corrected
      if (file) this.send(file);
    },
    cancel() {
      this.request?.abort();
    },
    send(file) {
      const endings = this.accept.split(",");
      if (!endings.some((ending) => file.name.toLowerCase().endsWith(ending))) {
        this.error = fill(this.words.ending, { name: file.name, endings: endings.join(", ") });
        return;
      }
      this.error = "";
      [this.name, this.size, this.sent] = [file.name, file.size, 0];
      const request = new XMLHttpRequest();
      request.open("PUT", `${this.url}?name=${encodeURIComponent(file.name)}`);
      request.setRequestHeader("Content-Type", "application/octet-stream");
      request.upload.onprogress = (event) => (this.sent = event.loaded);
      request.onload = () => this.finish(request);
      request.onerror = () => this.fail(this.words.broken);
      request.onabort = () => this.fail(this.words.cancelled);
      this.takeFocusAlong(() => (this.request = request), "cancel");
      request.send(file);
    },
    finish(request) {
      let answer = null;
      try {
        answer = JSON.parse(request.responseText);
      } catch {
        // A refusal in front of the app answers in plain text; the status still tells what happened.
      }
      this.takeFocusAlong(() => (this.request = null), "input");
      if (request.status >= 200 && request.status < 300) this.$emit("uploaded", answer);
      else if (answer?.error) this.$emit("refused", answer); // comes back to `fail` in the reader's language
      else this.fail(fill(this.words.refused, { code: request.status }));
    },
    fail(sentence) {
      this.takeFocusAlong(() => (this.request = null), "input");
      this.error = sentence;
    },
    // What has the focus goes when an upload begins or breaks off: the button in its place gets it.
    takeFocusAlong(change, next) {
      const hasFocus = this.$el.contains(document.activeElement);
      change();
      if (hasFocus) this.$nextTick(() => this.$refs[next]?.focus());
    },
  },
};

function fill(text, values) {
  return text.replace(/\{(\w+)\}/g, (place, name) => values[name] ?? place);
}

function bytes(count) {
  const units = ["B", "kB", "MB", "GB"];
  let unit = 0;
  while (count >= 1000 && unit < units.length - 1) [count, unit] = [count / 1000, unit + 1];
  const digits = count < 10 && unit ? 1 : 0;
  const figure = count.toLocaleString(document.documentElement.lang || "en", {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  });
  return `${figure} ${units[unit]}`;
}
