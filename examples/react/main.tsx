// Click on an image, see the mask over it, undo. The model lives in a worker, so the page never waits for it.
import type { Embedding, Mask, Point } from "sam-med2d-webgpu/client";
import { SamMed2DWorker } from "sam-med2d-webgpu/client";
import weights from "sam-med2d-webgpu/weights/sam-med2d-tiny.safetensors?url";
import { useEffect, useRef, useState } from "react";
import { createRoot } from "react-dom/client";
import { drawScan } from "./scan";

const worker = new Worker(new URL("sam-med2d-webgpu/worker", import.meta.url), { type: "module" });
const loading = SamMed2DWorker.load(worker, { weights });
const image = drawScan(384);
const READY = "Ready: click. Right click: not this.";

function App() {
  const canvas = useRef<HTMLCanvasElement>(null);
  const [embedding, setEmbedding] = useState<Embedding>();
  const [points, setPoints] = useState<Point[]>([]);
  const [mask, setMask] = useState<Mask>();
  const [status, setStatus] = useState("Loading the model …");

  useEffect(() => {
    const failed = (error: Error) => setStatus(error.message);
    loading.then((model) => model.encode(image)).then(setEmbedding, failed);
  }, []);

  useEffect(() => {
    if (!embedding) return;
    if (points.length === 0) return setMask(undefined), setStatus(READY);
    // Of several clicks in a row only the last one's answer is shown.
    const controller = new AbortController();
    const decode = async () => {
      const { mask, scores, best } = await (await loading).decode(embedding, { points }, { signal: controller.signal, output: "best" });
      setMask(mask);
      setStatus(`Predicted IoU ${scores[best]?.toFixed(2)}`);
    };
    decode().catch((error: Error) => controller.signal.aborted || setStatus(error.message));
    return () => controller.abort();
  }, [embedding, points]);

  useEffect(() => {
    const shown = new ImageData(new Uint8ClampedArray(image.data), image.width);
    mask?.data.forEach((inside, i) => inside && (shown.data[4 * i + 1] = 255));
    canvas.current?.getContext("2d")?.putImageData(shown, 0, 0);
  }, [mask]);

  const add = (label: 0 | 1) => (event: React.MouseEvent) => {
    event.preventDefault();
    setPoints([...points, { x: event.nativeEvent.offsetX, y: event.nativeEvent.offsetY, label }]);
  };
  return (
    <>
      <canvas ref={canvas} width={image.width} height={image.height} onClick={add(1)} onContextMenu={add(0)} style={{ cursor: "crosshair" }} />
      <p role="status">{status}</p>
      <button type="button" disabled={points.length === 0} onClick={() => setPoints(points.slice(0, -1))}>Undo</button>
    </>
  );
}

createRoot(document.querySelector("#root") as HTMLElement).render(<App />);
