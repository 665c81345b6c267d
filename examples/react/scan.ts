/** A drawing that stands in for an image: two organs in a body, `side` pixels a side. */
export function drawScan(side: number): ImageData {
  const context = new OffscreenCanvas(side, side).getContext("2d") as OffscreenCanvasRenderingContext2D;
  const ellipse = (color: string, x: number, y: number, rx: number, ry: number) => {
    context.fillStyle = color;
    context.beginPath();
    context.ellipse(x * side, y * side, rx * side, ry * side, 0, 0, 2 * Math.PI);
    context.fill();
  };
  context.fillStyle = "#080808";
  context.fillRect(0, 0, side, side);
  ellipse("#4a4a4a", 0.5, 0.5, 0.44, 0.34);
  ellipse("#b0b0b0", 0.34, 0.49, 0.135, 0.17);
  ellipse("#d8d8d8", 0.7, 0.52, 0.09, 0.105);
  return context.getImageData(0, 0, side, side);
}
