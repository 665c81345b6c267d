import { describe, expect, it } from "vitest";
import { kindOf, nameOfKind } from "../../src/bytes/sniff.ts";

const bytes = (...parts: (string | number[])[]) =>
  Uint8Array.from(parts.flatMap((part) => (typeof part === "string" ? [...Buffer.from(part, "latin1")] : part)));
const zeros = (count: number) => new Array<number>(count).fill(0);
const nifti = (magic: string) => bytes([0x5c, 1, 0, 0], zeros(340), magic, [0]);
const zip = (name: string) => bytes("PK\x03\x04", zeros(22), [name.length, 0, 0, 0], name, "content");

describe("kindOf", () => {
  it.each<[id: string, head: Uint8Array]>([
    ["png", bytes([0x89], "PNG\r\n\x1a\n")],
    ["jpeg", bytes([0xff, 0xd8, 0xff, 0xe0])],
    ["dicom", bytes(zeros(128), "DICM")],
    ["dicom", bytes([8, 0, 5, 0], "CS", [10, 0], "ISO_IR 100")],
    ["dicom", bytes([8, 0, 8, 0, 22, 0, 0, 0], "ORIGINAL")],
    ["tiff", bytes("II*\0")],
    ["tiff", bytes("MM\0*")],
    ["tiff", bytes("II+\0\x08\0")],
    ["nifti", nifti("n+1")],
    ["nifti", nifti("ni1")],
    ["nifti", bytes([0x1c, 2, 0, 0], "n+2\0\r\n\x1a\n")],
    ["analyze", bytes([0, 0, 1, 0x5c], zeros(344))],
    ["nrrd", bytes("NRRD0004\n")],
    ["metaimage", bytes("ObjectType = Image\nNDims = 3\n")],
    ["mgh", bytes([0, 0, 0, 1, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0])],
    ["webp", bytes("RIFF", zeros(4), "WEBPVP8 ")],
    ["gif", bytes("GIF89a")],
    ["bmp", bytes("BM", zeros(12), [40, 0, 0, 0])],
    ["avif", bytes(zeros(4), "ftypavif")],
    ["heic", bytes(zeros(4), "ftypheic")],
    ["heic", bytes(zeros(4), "ftypmif1")],
    ["jpeg2000", bytes(zeros(3), [12], "jP  \r\n")],
    ["jpegxl", bytes([0xff, 0x0a, 1])],
    ["pnm", bytes("P5\n3 3\n255\n")],
    ["svg", bytes('<svg xmlns="http://www.w3.org/2000/svg"/>')],
    ["svg", bytes('<?xml version="1.0"?>\n<!-- drawn -->\n<svg/>')],
    ["psd", bytes("8BPS\0\x01")],
    ["pdf", bytes("%PDF-1.7")],
    ["office", zip("[Content_Types].xml")],
    ["npz", zip("image.npy")],
    ["zip", zip("archive/data.pkl")],
    ["gzip", bytes([0x1f, 0x8b, 8])],
    ["hdf5", bytes([0x89], "HDF\r\n\x1a\n")],
    ["npy", bytes([0x93], "NUMPY\x01\0")],
    ["matlab", bytes("MATLAB 5.0 MAT-file")],
    ["safetensors", bytes([64, 1, 0, 0, 0, 0, 0, 0], '{"a":')],
    ["pickle", bytes([0x80, 2, 0x8a, 10, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19])],
    ["ggml", bytes("lmgg", zeros(8))],
    ["tflite", bytes([0x1c, 0, 0, 0], "TFL3", zeros(8))],
    ["tensorrt", bytes("ftrt", zeros(8))],
    ["tga", bytes([0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0])],
    ["ico", bytes([0, 0, 1, 0, 1, 0, 16, 16])],
    ["plain-pickle", bytes([0x80, 2, 0x7d])],
    ["video", bytes(zeros(4), "ftypisom")],
    ["lfs", bytes("version https://git-lfs.github.com/spec/v1\n")],
    ["html", bytes("\n<!DOCTYPE html>")],
    ["json", bytes("\xef\xbb\xbf {}")],
    ["text", bytes("liver, spleen\n")],
  ])("%s", (id, head) => {
    expect(kindOf(head)?.id).toBe(id);
    expect(kindOf(head)?.name).toMatch(/^(a|an|the) [A-Z\w]/);
  });

  it("gives the first bytes of what it does not know", () => {
    expect(kindOf(bytes([1, 2, 3]))).toBeUndefined();
    expect(nameOfKind(bytes([1, 2, 3]))).toBe("an unknown kind of file (first bytes 010203)");
    for (const cut of [[0x89], [0xff, 0xd8], [0x89, 0x50, 0x4e]]) expect(kindOf(bytes(cut))).toBeUndefined();
    expect(kindOf(new Uint8Array())).toBeUndefined();
  });
});
