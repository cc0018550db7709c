// Passkeys: a form marked data-passkey="create" or "get" asks the browser for a credential and carries it.
const REFUSED = "No passkey was used: it was cancelled, took too long, or this device has none. Try again.";
const UNABLE = "This browser can’t use passkeys here. They need https and a recent browser.";

async function optionsOf(form) {
  if (form.dataset.optionsUrl) {
    const answer = await fetch(form.dataset.optionsUrl, { headers: { Accept: "application/json" } });
    if (!answer.ok) throw new Error(`options: ${answer.status}`);
    return (await answer.json()).request_options;
  }
  const data = JSON.parse(document.getElementById("js_data").textContent);
  return data.creation_options ?? data.request_options;
}

function withoutNulls(value) {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (value === null || typeof value !== "object") return value;
  const kept = Object.entries(value).filter(([, inner]) => inner !== null);
  return Object.fromEntries(kept.map(([name, inner]) => [name, withoutNulls(inner)]));
}

async function create({ publicKey }) {
  // One kind of key: it signs in by itself, so it must be found without a name and know its person.
  const selection = { residentKey: "required", requireResidentKey: true, userVerification: "required" };
  publicKey.authenticatorSelection = { ...publicKey.authenticatorSelection, ...selection };
  return navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(publicKey) });
}

async function get({ publicKey }) {
  return navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(publicKey) });
}

const isAble = () => Boolean(window.PublicKeyCredential?.parseRequestOptionsFromJSON && navigator.credentials);

function say(form, text) {
  const place = form.querySelector("[data-passkey-error]");
  place.textContent = text;
  place.hidden = text === "";
}

async function carry(form) {
  say(form, "");
  if (!isAble()) return say(form, UNABLE);
  const button = form.querySelector("button[type=submit]");
  button.disabled = true;
  try {
    const options = withoutNulls(await optionsOf(form));
    const credential = await (form.dataset.passkey === "create" ? create(options) : get(options));
    form.elements.credential.value = JSON.stringify(credential.toJSON());
    form.submit();
  } catch {
    button.disabled = false;
    say(form, REFUSED);
  }
}

for (const form of document.querySelectorAll("form[data-passkey]")) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    carry(form);
  });
}
