// htmx under a strict Content-Security-Policy: its HTML passes one named policy, and nothing it finds in an attribute is
// ever compiled as a script (D-4).
(() => {
  function refused() {
    throw new Error("expressions in attributes are not evaluated here");
  }
  const pass = { createHTML: (text) => text, createScript: refused };
  htmx.registerExtension("muster-csp", {
    init(api) {
      api.initSecurity(window.trustedTypes ? trustedTypes.createPolicy("htmx", pass) : pass, refused, refused);
    },
  });
})();
