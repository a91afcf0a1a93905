// A place to drop files and folders on, and to paste text into. `qlora-ui-uploading` sends them.
import { Refusal, Transfer, filesIn, forget, newToken, remember, remembered, request, uploadAddress } from "qlora-ui-uploading";
import { markRaw } from "vue";

export default {
  template: `
    <div class="qu-drop-zone" :class="{ over, busy: run !== null }"
         @dragenter.prevent="over = true" @dragover.prevent="over = true"
         @dragleave.prevent="leave" @drop.prevent="drop">
      <input v-show="isChoosing" ref="input" class="qu-drop-input" type="file" multiple :id="'drop-' + uid" :accept="accept.join()"
             :disabled="run !== null" :aria-describedby="'drop-hint-' + uid + ' drop-error-' + uid" @change="choose">
      <input ref="folder" type="file" webkitdirectory hidden :disabled="run !== null" @change="choose">
      <template v-if="isChoosing">
        <label class="qu-drop-label" :for="'drop-' + uid">
          <svg class="i" viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-linecap="round"
               stroke-linejoin="round" aria-hidden="true">
            <path d="M12 3v12M17 8l-5-5-5 5M21 15v4a2 2 0 0 1-2 2H5a2 2 0 0 1-2-2v-4"/></svg>
          <span>{{ prompt[0] }}<b>{{ words.choose }}</b>{{ prompt[1] }}</span>
        </label>
        <div class="qu-drop-buttons">
          <button class="qu-btn qu-btn-secondary qu-btn-sm" type="button" @click="$refs.folder.click()">{{ words.folder }}</button>
          <button ref="paste" class="qu-btn qu-btn-secondary qu-btn-sm" type="button" @click="openPaste">{{ words.paste }}</button>
        </div>
        <div v-if="unfinished" class="qu-drop-unfinished">
          <span>{{ fill(words.unfinished, { name: unfinished.name, sent: bytes(unfinished.sent), size: bytes(unfinished.size) }) }}</span>
          <button class="qu-btn qu-btn-ghost qu-btn-sm" type="button" @click="discard">{{ words.discard }}</button>
        </div>
      </template>
      <form v-else-if="run === null" class="qu-drop-paste" @submit.prevent="sendText">
        <label :for="'paste-' + uid">{{ words.paste_label }}</label>
        <textarea ref="text" :id="'paste-' + uid" v-model="text" rows="6" spellcheck="false" :aria-describedby="'drop-error-' + uid"
                  @keydown.esc.stop="closePaste"></textarea>
        <div class="qu-drop-buttons">
          <button class="qu-btn qu-btn-primary qu-btn-sm" type="submit">{{ words.take }}</button>
          <button class="qu-btn qu-btn-secondary qu-btn-sm" type="button" @click="closePaste">{{ words.back }}</button>
        </div>
      </form>
      <div v-else class="qu-drop-progress">
        <div class="qu-drop-line"><b>{{ run.name }}</b><span>{{ progressText }}</span></div>
        <div class="qu-drop-bar" role="progressbar" :aria-label="fill(words.upload, { name: run.name })" aria-valuemin="0"
             aria-valuemax="100" :aria-valuenow="percent"><i :style="{ width: percent + '%' }"></i></div>
        <p class="qu-drop-phase">{{ words[phase] }}</p>
        <button ref="cancel" class="qu-drop-cancel" type="button" @click="cancel">{{ words.cancel }}</button>
      </div>
      <p v-show="isChoosing" class="qu-drop-hint" :id="'drop-hint-' + uid">{{ words.hint }}</p>
      <p class="qu-hidden" role="status">{{ run === null ? "" : words[phase] || fill(words.upload, { name: run.name }) }}</p>
      <p class="qu-drop-error" :id="'drop-error-' + uid" role="alert">{{ error }}</p>
    </div>`,
  props: { url: String, accept: Array, plain: Array, partBytes: Number, maxFiles: Number, maxText: Number, words: Object },
  data() {
    return {
      uid: Math.random().toString(36).slice(2, 8),
      over: false,
      run: null, // the upload that is under way
      phase: "", // a key of `words` when there is something to say besides the figures: paused, busy, writing
      sent: 0,
      error: "",
      isPasting: false,
      text: "",
      unfinished: null, // what broke off before this page was opened: {token, name, size, sent}
    };
  },
  computed: {
    isChoosing() {
      return this.run === null && !this.isPasting;
    },
    percent() {
      return Math.floor((100 * this.sent) / this.run.size);
    },
    progressText() {
      const percent = (this.percent / 100).toLocaleString(document.documentElement.lang || "en", { style: "percent" });
      return `${fill(this.words.sent, { sent: bytes(this.sent), size: bytes(this.run.size) })} · ${percent}`;
    },
    prompt() {
      return this.words.prompt.split("{choose}");
    },
  },
  mounted() {
    this.lookForUnfinished();
  },
  beforeUnmount() {
    this.run?.transfer.end(); // the server keeps what arrived
  },
  methods: {
    fill,
    bytes,
    leave(event) {
      if (!this.$el.contains(event.relatedTarget)) this.over = false;
    },
    async drop(event) {
      this.over = false;
      if (this.run !== null) return;
      // The items are gone after the first await, so their entries are taken at once.
      const entries = [...event.dataTransfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
      if (!entries.length) {
        this.takeAll([...event.dataTransfer.files]); // what has no place in a file system: from another program, say
        return;
      }
      try {
        this.take(await filesIn(entries, this.maxFiles + 1, (path) => this.isData(path)));
      } catch (error) {
        this.error = fill(this.words.unreadable, { name: entries[0]?.name ?? "", reason: error.message });
      }
    },
    choose(event) {
      const files = [...event.target.files];
      event.target.value = ""; // so that the same file can be chosen again after it was corrected
      if (files.length) this.takeAll(files);
    },
    takeAll(files) {
      const all = files.map((file) => ({ path: file.webkitRelativePath || file.name, file }));
      const skipped = all.filter(({ path }) => !this.isData(path)).map(({ path }) => path);
      this.take({ found: all.filter(({ path }) => this.isData(path)), skipped });
    },
    isData(path) {
      const isHidden = path.includes("/") && path.split("/").some((part) => part.startsWith("."));
      return !isHidden && this.accept.some((ending) => path.toLowerCase().endsWith(ending));
    },
    // `found` are data files by their names, `skipped` the paths of the others.
    take({ found, skipped }) {
      const files = found.filter(({ file }) => file.size > 0);
      const left = skipped.length + found.length - files.length;
      if (!files.length) this.error = this.whyNothing(found, skipped);
      else if (files.length > this.maxFiles) this.error = this.words.too_many;
      else {
        if (left) this.$emit("skipped", left);
        this.send(this.asOne(files));
      }
    },
    whyNothing(found, skipped) {
      if (found.length + skipped.length > 1) return this.words.nothing;
      if (found.length) return fill(this.words.empty, { name: found[0].path });
      if (!skipped.length) return this.words.none;
      return fill(this.words.ending, { name: skipped[0], endings: this.plain.join(", ") });
    },
    // One file, or files that all lie in one folder: that is what an upload may be.
    asOne(files) {
      const tops = [...new Set(files.map(({ path }) => path.split("/")[0]))];
      const size = files.reduce((sum, { file }) => sum + file.size, 0);
      if (tops.length === 1) return { name: tops[0], files, size };
      const name = fill(this.words.several, { name: tops[0].replace(/\.[^.]*$/, ""), count: tops.length - 1 });
      return { name, files: files.map(({ path, file }) => ({ path: `${name}/${path}`, file })), size };
    },
    async send(upload) {
      const newest = Math.max(...upload.files.map(({ file }) => file.lastModified));
      const key = JSON.stringify([upload.name, upload.files.length, upload.size, newest]);
      const known = remembered().find((other) => other.key === key);
      const token = known?.token ?? newToken();
      remember({ token, key, name: upload.name, size: upload.size, time: Date.now() });
      const transfer = new Transfer(this.url, token, upload, this.partBytes, (news) => Object.assign(this, news));
      this.begin({ name: upload.name, size: upload.size, token, transfer: markRaw(transfer) });
      try {
        const dataset = await transfer.run(known !== undefined);
        forget(token);
        this.finish(() => this.$emit("uploaded", dataset));
      } catch (error) {
        if (transfer.isOver) return; // cancelled, or the page is left
        this.giveUp(token);
        this.finish(() => this.say(error));
        if (!(error instanceof Refusal)) throw error; // a mistake of ours, for the console
      }
    },
    cancel() {
      const { token, transfer } = this.run;
      transfer.end();
      if (token) this.giveUp(token);
      this.finish(() => this.fail(this.words.cancelled));
    },
    giveUp(token) {
      forget(token);
      fetch(uploadAddress(this.url, token), { method: "DELETE", keepalive: true }).catch(() => {}); // it goes in a day
    },
    async lookForUnfinished() {
      for (const upload of remembered()) {
        const answer = await request({}, "GET", uploadAddress(this.url, upload.token));
        if (answer.status === 404) forget(upload.token);
        if (answer.status !== 200 || !answer.body || this.run !== null) continue;
        this.unfinished = { ...upload, sent: answer.body.files.reduce((sum, file) => sum + file.offset, 0) };
        return;
      }
    },
    discard() {
      this.giveUp(this.unfinished.token);
      this.takeFocusAlong(() => (this.unfinished = null), "input");
    },
    openPaste() {
      this.error = "";
      this.takeFocusAlong(() => (this.isPasting = true), "text");
    },
    closePaste() {
      this.takeFocusAlong(() => ([this.isPasting, this.error] = [false, ""]), "paste");
    },
    async sendText() {
      const body = new Blob([this.text]);
      if (!this.text.trim()) return this.fail(this.words.no_text);
      if (body.size > this.maxText) return this.fail(this.words.long_text);
      const sending = { isOver: false, end: () => ((sending.isOver = true), sending.request.abort()) };
      this.begin({ name: this.words.pasted, size: body.size, transfer: markRaw(sending) });
      const address = `${this.url}/text?name=${encodeURIComponent(this.words.pasted)}`;
      const show = (loaded) => (this.sent = Math.min(loaded, body.size));
      const answer = await request(sending, "PUT", address, body, { "Content-Type": "text/plain" }, undefined, show);
      if (sending.isOver) return;
      if (answer.status === 201) [this.text, this.isPasting] = ["", false];
      this.finish(() => (answer.status === 201 ? this.$emit("uploaded", answer.body) : this.say(new Refusal(answer))));
    },
    begin(run) {
      [this.error, this.sent, this.phase, this.unfinished] = ["", 0, "", null];
      this.takeFocusAlong(() => (this.run = run), "cancel");
    },
    finish(then) {
      this.takeFocusAlong(() => (this.run = null), this.isPasting ? "text" : "input");
      then();
    },
    // A refusal of the server goes to Python and comes back to `fail` in the reader's language.
    say({ answer, unreadable }) {
      if (answer?.body?.error) this.$emit("refused", answer.body);
      else if (unreadable) this.fail(fill(this.words.changed, { name: unreadable }));
      else if (!answer?.status) this.fail(this.words.broken);
      else this.fail(fill(this.words.refused, { code: answer.status }));
    },
    fail(sentence) {
      this.error = sentence;
    },
    // What has the focus goes when an upload begins or breaks off: the element in its place gets it.
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
