// A file goes to the server as the body of one PUT: no copy in memory, whatever its size.
export default {
  template: `
    <div class="qu-drop-zone" :class="{ over, busy: request !== null }"
         @dragenter.prevent="over = true" @dragover.prevent="over = true"
         @dragleave.prevent="leave" @drop.prevent="drop">
      <input class="qu-drop-input" type="file" :id="'drop-' + uid" :accept="accept" :disabled="request !== null"
             :aria-describedby="'drop-hint-' + uid + ' drop-error-' + uid" @change="choose">
      <template v-if="request === null">
        <label class="qu-drop-label" :for="'drop-' + uid">
          <svg class="i" viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-linecap="round"
               stroke-linejoin="round" aria-hidden="true">
            <path d="M12 3v12M17 8l-5-5-5 5M21 15v4a2 2 0 0 1-2 2H5a2 2 0 0 1-2-2v-4"/></svg>
          <span>{{ label }}, or <b>choose one</b></span>
        </label>
      </template>
      <div v-else class="qu-drop-progress">
        <div class="qu-drop-line"><b>{{ name }}</b><span>{{ progressText }}</span></div>
        <div class="qu-drop-bar" role="progressbar" :aria-label="'Upload of ' + name" aria-valuemin="0"
             aria-valuemax="100" :aria-valuenow="percent"><i :style="{ width: percent + '%' }"></i></div>
        <button class="qu-drop-cancel" type="button" @click="cancel">Cancel the upload</button>
      </div>
      <p class="qu-drop-hint" :id="'drop-hint-' + uid">{{ hint }}</p>
      <p class="qu-drop-error" :id="'drop-error-' + uid" role="alert">{{ error }}</p>
    </div>`,
  props: { url: String, accept: String, label: String, hint: String },
  data() {
    return { uid: Math.random().toString(36).slice(2, 8), over: false, request: null, name: "", sent: 0, size: 0, error: "" };
  },
  computed: {
    percent() {
      return this.size ? Math.floor((100 * this.sent) / this.size) : 0;
    },
    progressText() {
      return this.sent < this.size ? `${bytes(this.sent)} of ${bytes(this.size)}` : "Writing it to the disk";
    },
  },
  beforeUnmount() {
    this.request?.abort();
  },
  methods: {
    leave(event) {
      if (!this.$el.contains(event.relatedTarget)) this.over = false;
    },
    drop(event) {
      this.over = false;
      if (this.request !== null) return;
      const files = event.dataTransfer.files;
      if (files.length === 1) this.send(files[0]);
      else if (files.length > 1) this.error = "One file at a time, please: the rows of a run come from one file.";
      else this.error = "That was no file. Drop a file from this computer.";
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
        this.error = `${file.name} cannot be read as training data. It must end in ${endings.join(", ")}.`;
        return;
      }
      this.error = "";
      [this.name, this.size, this.sent] = [file.name, file.size, 0];
      const request = new XMLHttpRequest();
      request.open("PUT", `${this.url}?name=${encodeURIComponent(file.name)}`);
      request.setRequestHeader("Content-Type", "application/octet-stream");
      request.upload.onprogress = (event) => (this.sent = event.loaded);
      request.onload = () => this.finish(request);
      request.onerror = () => this.fail("The connection broke off before the whole file had arrived. Try again.");
      request.onabort = () => this.fail("The upload was cancelled; nothing of it was kept.");
      this.request = request;
      request.send(file);
    },
    finish(request) {
      let answer = {};
      try {
        answer = JSON.parse(request.responseText);
      } catch {
        // A refusal in front of the app answers in plain text; the status still tells what happened.
      }
      if (request.status >= 200 && request.status < 300) {
        this.request = null;
        this.$emit("uploaded", answer);
      } else {
        const words = [answer.error, answer.hint].filter(Boolean).join(" ");
        this.fail(words || `The server did not take the file (code ${request.status}).`);
      }
    },
    fail(sentence) {
      this.request = null;
      this.error = sentence;
    },
  },
};

function bytes(count) {
  const units = ["B", "kB", "MB", "GB"];
  let unit = 0;
  while (count >= 1000 && unit < units.length - 1) [count, unit] = [count / 1000, unit + 1];
  return `${count < 10 && unit ? count.toFixed(1) : Math.round(count)} ${units[unit]}`;
}
