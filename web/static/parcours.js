/* Tells Parcours which pages are looked at, and what else a page wants to tell:

   <script async src="https://parcours.example/parcours.js" data-key="site_…"></script>
   parcours("event", "Played a video", 42, {title: "Hello"})
   parcours("page")                                      a page that was shown without being loaded
   parcours("identify", {email: "…", signature: "…"})    signed by your server with the secret of the site
   parcours("forget")                                    a new visitor from now on

   No cookie is set. Who asks not to be followed (Do Not Track, Global Privacy Control) is not. */
(function (window, document, navigator) {
  "use strict";
  var script = document.currentScript || document.querySelector("script[data-key][src*='parcours.js']");
  var waiting = (window.parcours && window.parcours.q) || [];
  var follows = navigator.doNotTrack !== "1" && window.doNotTrack !== "1" && !navigator.globalPrivacyControl;
  if (!script || !follows) {
    window.parcours = function () {};
    window.parcours.visitor = function () { return null; };
    return;
  }
  var address = new URL("/events", script.src).href;
  var key = script.getAttribute("data-key");
  var NAME = "parcours_visitor";
  var BATCH_MAX = 100;
  var pile = [];
  var who = {};
  var timer = null;

  function random() {
    if (window.crypto.randomUUID) return window.crypto.randomUUID();
    var bytes = window.crypto.getRandomValues(new Uint8Array(16));
    bytes[6] = (bytes[6] & 15) | 64;
    bytes[8] = (bytes[8] & 63) | 128;
    var hex = Array.prototype.map.call(bytes, function (each) { return (each + 256).toString(16).slice(1); }).join("");
    return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
  }

  var visitor = null;
  try { visitor = window.localStorage.getItem(NAME); } catch (error) { /* a browser that keeps nothing */ }
  function remember() {
    visitor = visitor || random();
    try { window.localStorage.setItem(NAME, visitor); } catch (error) { /* then for this page only */ }
  }
  remember();

  function send() {
    window.clearTimeout(timer);
    timer = null;
    if (!pile.length && !who.contact && !who.email) return;
    var now = Date.now();
    var body = { key: key, visitor: visitor, contact: who.contact, email: who.email, signature: who.signature };
    body.events = pile.splice(0, BATCH_MAX).map(function (each) {
      each.told.ago = now - each.at;
      return each.told;
    });
    who = {};
    var text = JSON.stringify(body);
    if (!(navigator.sendBeacon && navigator.sendBeacon(address, text))) {
      window.fetch(address, { method: "POST", body: text, keepalive: true, mode: "no-cors", credentials: "omit" })
        .catch(function () {});
    }
    if (pile.length) send();
  }

  function add(told) {
    pile.push({ told: told, at: Date.now() });
    timer = timer || window.setTimeout(send, 1000);
  }

  function page() {
    var url = new URL(window.location.href);
    var contact = url.searchParams.get("parcours_contact");
    if (contact) {
      who.contact = contact;
      url.searchParams.delete("parcours_contact");
      if (window.history.replaceState) window.history.replaceState(window.history.state, "", url.href);
    }
    add({ type: "page", url: url.href, title: document.title.slice(0, 300), referrer: document.referrer });
  }

  window.parcours = function (what, name, value, properties) {
    if (what === "page") page();
    if (what === "event") add({ type: "event", name: name, value: value, properties: properties });
    if (what === "identify") { who.email = name.email; who.signature = name.signature; send(); }
    if (what === "forget") { send(); visitor = null; remember(); }
  };
  window.parcours.visitor = function () { return visitor; };
  page();
  waiting.forEach(function (each) { window.parcours.apply(null, each); });
  document.addEventListener("visibilitychange", function () { if (document.visibilityState === "hidden") send(); });
  window.addEventListener("pagehide", send);
})(window, document, navigator);
