addEventListener("load", () => {
  const open = () => {
    const frame = document.createElement("iframe");
    frame.src = "/ahead";
    frame.hidden = true;
    document.body.append(frame);
  };
  if (!navigator.connection?.saveData) (window.requestIdleCallback ?? setTimeout)(open);
});
