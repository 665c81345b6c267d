// A server component: importing the library there must be harmless.
import { SamMed2D } from "sam-med2d-webgpu";
import { Client } from "./client.jsx";

export default function Page() {
  return <Client name={SamMed2D.name} />;
}
