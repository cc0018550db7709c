// Every htmx request that writes bears the token from the page's head.
document.addEventListener("htmx:config:request", (event) => {
  const { request } = event.detail.ctx;
  const token = document.querySelector('meta[name="csrf-token"]')?.content;
  if (token && !["GET", "HEAD"].includes(request.method)) request.headers["X-CSRFToken"] = token;
});
