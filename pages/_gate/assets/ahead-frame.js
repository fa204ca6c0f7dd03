window.__streamlit = { BACKEND_BASE_URL: window.location.origin + "/" };
window.fetch = () => new Promise(() => {});
window.XMLHttpRequest.prototype.send = () => {};
addEventListener("load", async () => {
  for (const file of ["FILES"]) await import(file);
  document.documentElement.dataset.ahead = "done";
});
