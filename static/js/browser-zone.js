// Instants inside [data-browser-zone] are shown in the browser's time zone, which [data-zone-name] then names.
// Without script they stay in UTC, and say so.
const WRITE = { weekday: "short", day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit" };
const format = new Intl.DateTimeFormat("en-GB", { ...WRITE, hourCycle: "h23" });
const thisYear = String(new Date().getFullYear());

function written(instant, isDay) {
  const part = Object.fromEntries(format.formatToParts(instant).map(({ type, value }) => [type, value]));
  const day = `${part.day}\u00a0${part.month.slice(0, 3)}${part.year === thisYear ? "" : `\u00a0${part.year}`}`;
  return isDay ? day : `${part.weekday} ${day} ${part.hour}:${part.minute}`;
}

for (const place of document.querySelectorAll("[data-browser-zone]")) {
  for (const time of place.querySelectorAll("time[datetime]")) {
    time.textContent = written(new Date(time.dateTime), "day" in time.dataset);
  }
  for (const name of place.querySelectorAll("[data-zone-name]")) {
    name.textContent = format.resolvedOptions().timeZone;
  }
}
