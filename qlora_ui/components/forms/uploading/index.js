// How files get to the server: in parts, each a slice of a file, so that no copy is in memory, whatever its size. After a
// broken connection it goes on by itself; after a reload, when the same files are chosen again.
const SILENCE_MS = 60_000; // a request in which nothing moves for so long is taken for lost
const FINISH_MS = 600_000;
const LONGEST_PAUSE_S = 15;
const MAX_CONFLICTS = 10; // in a row, without a byte in between
const REMEMBERED = "qlora-ui.uploads";
const KEPT_MS = 24 * 3600 * 1000; // as long as the server keeps an upload that nobody goes on with

// An upload on its way: `files` are {path, file}, all of them one file or in one folder.
// It tells `report` of {sent, phase}; the phase is "" | "paused" | "busy" | "writing".
export class Transfer {
  constructor(url, token, { files, size }, partBytes, report) {
    Object.assign(this, { address: uploadAddress(url, token), files, size, partBytes, report });
    [this.pauses, this.conflicts, this.isOver] = [0, 0, false];
  }
  // Gives the dataset that the server made of it. Raises a Refusal.
  async run(isKnown) {
    let offsets = isKnown ? await this.ask() : new Map();
    for (let isSent = false; ; offsets = await this.ask()) {
      isSent ||= offsets !== null && (await this.sendMissing(offsets));
      if (isSent) {
        this.report({ phase: "writing" });
        const end = JSON.stringify({ files: this.files.length });
        const answer = await request(this, "POST", this.address, end, { "Content-Type": "application/json" }, FINISH_MS);
        if (answer.status === 201) return answer.body;
        isSent = ![404, 409].includes(answer.status); // something is missing after all
        this.refuseUnlessLost(answer);
      }
      if (this.conflicts !== 1) await this.pause(); // the first time it is enough to ask how far the server has come
    }
  }
  // Path → bytes that the server has; null when it cannot be asked.
  async ask() {
    const answer = await request(this, "GET", this.address);
    if (answer.status === 404) return new Map();
    if (answer.status === 200 && answer.body) return new Map(answer.body.files.map((file) => [file.path, file.offset]));
    this.refuseUnlessLost(answer);
    return null;
  }
  // Whether all of it has arrived; false when it broke off.
  async sendMissing(offsets) {
    const arrived = this.files.map(({ path }) => offsets.get(path) ?? 0);
    let before = arrived.reduce((sum, bytes) => sum + bytes, 0);
    this.report({ sent: before });
    for (const [index, { path, file }] of this.files.entries()) {
      for (let offset = arrived[index]; offset < file.size; ) {
        const end = Math.min(offset + this.partBytes, file.size);
        const range = `bytes ${offset}-${end - 1}/${file.size}`;
        const headers = { "Content-Type": "application/octet-stream", "Content-Range": range };
        const address = `${this.address}?path=${encodeURIComponent(path)}`;
        const show = (loaded) => this.report({ sent: Math.min(before + loaded, this.size), phase: "" });
        const answer = await request(this, "PUT", address, file.slice(offset, end), headers, SILENCE_MS, show);
        if (answer.status !== 200 || !answer.body) {
          this.refuseUnlessLost(answer);
          await checkReadable(file);
          return false;
        }
        before += answer.body.offset - offset;
        this.report({ sent: before, phase: "" });
        [this.pauses, this.conflicts] = [0, 0];
        offset = answer.body.offset;
      }
    }
    return true;
  }
  // Raises a Refusal for an answer that will be the same the next time.
  refuseUnlessLost(answer) {
    if (this.isOver) throw new Refusal();
    const isConflict = [404, 409].includes(answer.status);
    if (isConflict && ++this.conflicts > MAX_CONFLICTS) throw new Refusal(answer);
    if (!isConflict && ![0, 408, 502, 503, 504].includes(answer.status)) throw new Refusal(answer);
    if (this.conflicts !== 1) this.report({ phase: isConflict ? "busy" : "paused" });
  }
  pause() {
    const seconds = Math.min(LONGEST_PAUSE_S, 2 ** this.pauses++);
    return new Promise((resolve, reject) => {
      const goOn = () => {
        clearTimeout(timer);
        window.removeEventListener("online", goOn);
        this.isOver ? reject(new Refusal()) : resolve();
      };
      const timer = setTimeout(goOn, 1000 * seconds);
      window.addEventListener("online", goOn);
      this.wake = goOn;
    });
  }
  // Stop at once; the server keeps what arrived.
  end() {
    this.isOver = true;
    this.request?.abort();
    this.wake?.();
  }
}

// What the server answers for good: its `answer`, or the file that can no longer be read.
export class Refusal extends Error {
  constructor(answer = null, unreadable = "") {
    super();
    Object.assign(this, { answer, unreadable });
  }
}

// One request; its answer as {status, body}, with the status 0 when there is none.
export function request(run, method, address, body = null, headers = {}, silenceMs = SILENCE_MS, show = () => {}) {
  return new Promise((resolve) => {
    const sender = (run.request = new XMLHttpRequest());
    let timer = setTimeout(() => sender.abort(), silenceMs);
    const moved = (event) => {
      clearTimeout(timer);
      timer = setTimeout(() => sender.abort(), silenceMs);
      show(event.loaded);
    };
    sender.open(method, address);
    for (const [name, value] of Object.entries(headers)) sender.setRequestHeader(name, value);
    sender.upload.onprogress = moved;
    sender.onloadend = () => {
      clearTimeout(timer);
      let answer = null;
      try {
        answer = JSON.parse(sender.responseText);
      } catch {
        // A refusal in front of the app answers in plain text; the status still tells what happened.
      }
      resolve({ status: sender.status, body: answer });
    };
    sender.send(body);
  });
}

// What can no longer be read would look like a broken connection for ever.
async function checkReadable(file) {
  try {
    await file.slice(0, 1).arrayBuffer();
  } catch {
    throw new Refusal(null, file.name);
  }
}

// The files in dropped entries and the folders among them, up to `most`; `skipped` are the paths of those not wanted.
export async function filesIn(entries, most, isWanted) {
  const found = [], skipped = [], waiting = [...entries];
  while (waiting.length && found.length < most) {
    const entry = waiting.shift();
    const path = entry.fullPath.replace(/^\//, "");
    if (entry.isDirectory) {
      const reader = entry.createReader();
      const next = () => new Promise((resolve, reject) => reader.readEntries(resolve, reject));
      for (let some = await next(); some.length; some = await next()) waiting.push(...some); // 100 at a time
    } else if (isWanted(path)) {
      found.push({ path, file: await new Promise((resolve, reject) => entry.file(resolve, reject)) });
    } else skipped.push(path);
  }
  return { found, skipped };
}

export function uploadAddress(url, token) {
  return `${url}/uploads/${token}`;
}

export function newToken() {
  const random = crypto.getRandomValues(new Uint8Array(24));
  return btoa(String.fromCharCode(...random)).replaceAll("+", "-").replaceAll("/", "_");
}

// Uploads that are not finished, the newest first. A browser may refuse to keep anything; then they are not remembered.
export function remembered() {
  try {
    return JSON.parse(localStorage.getItem(REMEMBERED) ?? "[]").filter((upload) => Date.now() - upload.time < KEPT_MS);
  } catch {
    return [];
  }
}

export function remember(upload) {
  keep([upload, ...remembered().filter((other) => other.token !== upload.token)].slice(0, 5));
}

export function forget(token) {
  keep(remembered().filter((other) => other.token !== token));
}

function keep(uploads) {
  try {
    localStorage.setItem(REMEMBERED, JSON.stringify(uploads));
  } catch {
    // not kept
  }
}
