// Between Cornerstone's slices and the network's pictures: pixels and world coordinates, masks into the labelmap of a viewport.
import { cache, imageLoader, utilities } from "@cornerstonejs/core";
import { LabelmapBaseTool, segmentation, utilities as toolUtilities } from "@cornerstonejs/tools";

/** World coordinates as original pixels, the first pixel's corner at 0, 0; what lies outside is moved to the edge. */
export function toPixels(imageId, world) {
  const { columns, rows } = cache.getImage(imageId);
  const [x, y] = utilities.worldToImageCoords(imageId, world);
  return [Math.max(0, Math.min(columns - 1e-3, x)), Math.max(0, Math.min(rows - 1e-3, y))];
}

/** The picture as it is windowed on the screen. */
export async function pictureOf(viewport, imageId) {
  const image = cache.getImage(imageId) ?? (await imageLoader.loadAndCacheImage(imageId));
  const values = image.getPixelData();
  const { columns: width, rows: height } = image;
  if (image.color) return { data: Uint8Array.from(values), width, height, channels: values.length / (width * height) };
  const { lower, upper } = viewport.getProperties().voiRange ?? { lower: image.minPixelValue, upper: image.maxPixelValue };
  const data = Uint8Array.from(values, (value) => Math.max(0, Math.min(255, (255 * (value - lower)) / (upper - lower))));
  if (image.invert) data.forEach((value, i) => (data[i] = 255 - value));
  return { data, width, height, channels: 1 };
}

/** 1 where a candidate's logits [4g, 4g], resized to the image, are above `threshold`. */
export function maskAbove(threshold, values, { size, scaleX, scaleY, left: marginX, top: marginY, width, height }) {
  const side = Math.sqrt(values.length);
  const place = (pixel, scale, margin) => Math.max(0, Math.min(side - 1, (((pixel + 0.5) * scale + margin) * side) / size - 0.5));
  const inside = new Uint8Array(width * height);
  for (let y = 0; y < height; y++) {
    const v = place(y, scaleY, marginY);
    const [top, below] = [Math.floor(v) * side, Math.min(side - 1, Math.floor(v) + 1) * side];
    for (let x = 0; x < width; x++) {
      const u = place(x, scaleX, marginX);
      const [left, right] = [Math.floor(u), Math.min(side - 1, Math.floor(u) + 1)];
      const across = (row) => values[row + left] + (u - left) * (values[row + right] - values[row + left]);
      inside[y * width + x] = across(top) + (v % 1) * (across(below) - across(top)) > threshold ? 1 : 0;
    }
  }
  return inside;
}

/** A tool that nobody holds a button for: its preview is drawn into. */
export function makePreviewTool() {
  const strategies = { FILL_INSIDE_CIRCLE: segmentation.strategies.fillInsideCircle };
  return new LabelmapBaseTool({}, { configuration: { strategies, activeStrategy: "FILL_INSIDE_CIRCLE", preview: { enabled: true } } });
}

/** From pixels of the slice to indices of what the viewport shows: an affine map, from three pixels of it. */
function toIndices(viewport, imageId) {
  const data = viewport.getDefaultImageData();
  const [origin, right, down] = [
    [0.5, 0.5],
    [1.5, 0.5],
    [0.5, 1.5],
  ].map((pixel) => data.worldToIndex(utilities.imageToWorldCoords(imageId, pixel)));
  return (x, y) => origin.map((start, i) => Math.round(start + x * (right[i] - start) + y * (down[i] - start)));
}

/** As a preview of the active segment, where no other segment is. */
export function drawPreview(tool, viewport, imageId, inside, { islandFillOptions, clicked }) {
  if (!segmentation.activeSegmentation.getActiveSegmentation(viewport.id)) throw new Error("The viewport has no segmentation: add a labelmap to it first.");
  const { previewSegmentIndex, memo, segmentationId, segmentIndex, segmentationVoxelManager } = tool.addPreview(viewport.element);
  const voxels = memo.voxelManager;
  const indicesOf = toIndices(viewport, imageId);
  const { columns, rows } = cache.getImage(imageId);
  for (let y = 0; y < rows; y++)
    for (let x = 0; x < columns; x++) {
      const indices = indicesOf(x, y);
      const value = segmentationVoxelManager.getAtIJKPoint(indices);
      if (value && value !== previewSegmentIndex) continue;
      voxels.setAtIJKPoint(indices, inside[y * columns + x] ? previewSegmentIndex : null);
    }
  if (islandFillOptions) {
    const islands = new toolUtilities.IslandRemoval(islandFillOptions);
    const points = clicked.map(({ x, y }) => indicesOf(Math.floor(x), Math.floor(y)));
    if (islands.initialize(viewport, voxels, { previewSegmentIndex, segmentIndex, points })) {
      islands.floodFillSegmentIsland();
      islands.removeExternalIslands();
      islands.removeInternalIslands();
    }
  }
  segmentation.triggerSegmentationEvents.triggerSegmentationDataModified(segmentationId);
}

/** World coordinates of `count` pixels, spread evenly, of the active segment on the nearest labelled slices before and after the one shown. */
export function labelledNearby(viewport, breadth, count) {
  const { segmentationId } = segmentation.activeSegmentation.getActiveSegmentation(viewport.id) ?? {};
  const segment = segmentationId && segmentation.segmentIndex.getActiveSegmentIndex(segmentationId);
  const ids = viewport.getImageIds();
  const found = [-1, 1].flatMap((direction) => {
    for (let distance = 1; distance <= breadth; distance++) {
      const labels = cache.getImageByReferencedImageId(ids[viewport.getCurrentImageIdIndex() + direction * distance])?.voxelManager;
      const points = [];
      labels?.forEach(({ value, pointIJK: [x, y] }) => value === segment && points.push([x, y]));
      // In the plane, pixels of one slice are those of the next.
      if (points.length > 0) return points.map(([x, y]) => utilities.imageToWorldCoords(viewport.getCurrentImageId(), [x + 0.5, y + 0.5]));
    }
    return [];
  });
  return found.filter((_, i) => Math.floor((i * count) / found.length) !== Math.floor(((i - 1) * count) / found.length));
}
