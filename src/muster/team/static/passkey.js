/* Passkeys: forms marked `data-passkey` ask the browser for one, and send what it answers. */

const able = () =>
  window.PublicKeyCredential?.parseRequestOptionsFromJSON && PublicKeyCredential.prototype.toJSON && navigator.credentials;

async function optionsFor(form) {
  if (!form.dataset.ask) {
    return JSON.parse(document.getElementById("passkey-options").textContent);
  }
  const answer = await fetch(form.dataset.ask, { headers: { Accept: "application/json" } });
  return answer.json();
}

async function credentialFor(form) {
  const options = await optionsFor(form);
  if (form.dataset.passkey === "create") {
    const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(options.creation_options.publicKey);
    return navigator.credentials.create({ publicKey });
  }
  const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(options.request_options.publicKey);
  return navigator.credentials.get({ publicKey });
}

async function ask(event) {
  const form = event.target;
  event.preventDefault();
  const failed = form.querySelector("[data-passkey-failed]");
  failed.hidden = true;
  try {
    const credential = await credentialFor(form);
    form.elements.credential.value = JSON.stringify(credential);
    form.submit();
  } catch {
    // Refused by the person, unknown to the device, or out of time: the browser says no more than that.
    failed.hidden = false;
  }
}

for (const form of document.querySelectorAll("form[data-passkey]")) {
  if (able()) {
    form.hidden = false;
    form.addEventListener("submit", ask);
  }
}
