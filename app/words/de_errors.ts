// Deutsch: was an Fehlern zu sagen ist, ein Satz je Art. Die englischen Worte der Bibliothek stehen als Einzelheiten daneben.
import type { ErrorCode } from "../../src/index.ts";

/** Kinds of errors that a card tells apart: each code, and what has a remedy of its own. */
export type ErrorKind =
  | ErrorCode
  | "refused"
  | "note"
  | "unexpected"
  | "worker"
  | "image.encode"
  | "prompt.open"
  | "prompt.propagate"
  | "checkpoint.http"
  | "file.http"
  | "file.labels"
  | "device.memory";

export const deErrors: Readonly<Record<ErrorKind, string>> = {
  refused:
    "Diese Datei ist beschädigt oder von einer Art, die hier nicht gelesen wird. Gelesen werden DICOM, NIfTI, NRRD, MetaImage, TIFF, PNG und JPEG, auch in Archiven.",
  note: "Was der Leser dazu anmerkt, steht auf Englisch in den Einzelheiten.",
  unexpected: "Was genau, steht auf Englisch in den Einzelheiten.",
  worker: "Er wird neu gestartet, sobald das Modell noch einmal geladen wird.",
  image:
    "{subject} lässt sich nicht als Bild verwenden: keine Bilddatei, beschädigt oder zu groß. Als PNG oder JPEG noch einmal exportieren, oder verkleinern.",
  "image.encode": "Das Modell nimmt dieses Bild nicht an. Ein anderes wählen, oder dieses zuschneiden und noch einmal öffnen.",
  prompt: "Punkte und Rahmen müssen im Bild liegen und vom Modell verstanden werden. Die Eingaben ändern oder leeren.",
  "prompt.open": "{subject} ist keine Prompt-Datei dieser Seite oder passt nicht zu diesem Bild. Erst das Bild öffnen, zu dem die Eingaben gehören.",
  "prompt.propagate": "Von hier aus geht es nicht durch die Schichten. Eine Schicht mit einer Maske zeigen und es dort noch einmal versuchen.",
  checkpoint:
    "{subject} enthält kein Netz, das hier läuft, oder ist beschädigt. Eine .safetensors- oder .pth-Datei von SAM-Med2D oder einem verwandten Modell wählen.",
  "checkpoint.http": "Der Server gab die Gewichte nicht her (HTTP-Status {status}). Die Adresse in einem eigenen Tab prüfen.",
  device: "WebGPU fehlt, kann nicht, was das Modell braucht, oder das Gerät ging verloren. Noch einmal versuchen; geschieht es wieder, die Seite neu laden.",
  "device.memory": "Der Speicher des Grafikgeräts reicht nicht. Andere Tabs schließen, oder ein kleineres Modell laden.",
  file: "{subject} ist beschädigt, von einer Art, die hier nicht gelesen wird, oder passt nicht zu dem, was offen ist. Noch einmal exportieren und öffnen.",
  "file.http": "Der Server antwortete mit dem HTTP-Status {status}. Adresse und Anmeldung prüfen.",
  "file.labels":
    "{subject} enthält keine Klassen, die hier gelesen werden. Klassen von hier exportieren, oder eine COCO-Datei oder Farbtabelle von 3D Slicer wählen.",
  dataset: "Dem Datensatz fehlen Dateien, oder sie passen nicht zueinander. Ihn noch einmal exportieren.",
  graph: "Das liegt am Programm, nicht an der Eingabe. Das Modell noch einmal laden, oder ein anderes.",
  disposed: "Inzwischen wurde ein anderes Modell geladen. Noch einmal versuchen.",
};
