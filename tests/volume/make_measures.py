"""Writes measures.json: sizes and values of a drawn shape by SimpleITK (the definitions of pyradiomics).

    python make_measures.py      (numpy, SimpleITK)
"""
import json, os
import numpy as np, SimpleITK as sitk

SPACING = (0.7, 1.3, 4.0)  # columns, rows, slices
SHAPE = (7, 60, 80)

z, y, x = np.indices(SHAPE).astype(float)
angle = np.radians(25)
u = (x - 38) * SPACING[0] * np.cos(angle) + (y - 30) * SPACING[1] * np.sin(angle)
v = -(x - 38) * SPACING[0] * np.sin(angle) + (y - 30) * SPACING[1] * np.cos(angle)
mask = ((u / 22) ** 2 + (v / 11) ** 2 + ((z - 3) * SPACING[2] / 14) ** 2 < 1).astype(np.uint8)
image = np.round(20 * np.sin(x / 5) + 3 * y - 100 * z).astype(np.int16)

def itk(array):
    made = sitk.GetImageFromArray(array)
    made.SetSpacing(SPACING)
    return made

shape = sitk.LabelShapeStatisticsImageFilter()
shape.ComputeFeretDiameterOn()
shape.Execute(itk(mask))
values = image[mask > 0].astype(float)
slices = []
for k in range(SHAPE[0]):
    if not mask[k].any():
        continue
    points = np.argwhere(mask[k] > 0)
    # Marching squares' outline: half a pixel outside the centres, along rows and columns.
    around = np.concatenate([points + d for d in ([0.5, 0], [-0.5, 0], [0, 0.5], [0, -0.5])]) * [SPACING[1], SPACING[0]]
    longest = max(np.linalg.norm(around - p, axis=1).max() for p in around)
    widths = [np.ptp(around @ [np.cos(t), np.sin(t)]) for t in np.radians(np.arange(0, 180, 0.05))]
    slices.append({"slice": k, "pixels": len(points), "area": len(points) * SPACING[0] * SPACING[1], "longest": longest, "shortest": min(widths)})
out = {
    "spacing": SPACING, "shape": SHAPE, "voxels": int(mask.sum()), "volume_ml": shape.GetPhysicalSize(1) / 1000,
    "mean": values.mean(), "sd": values.std(), "min": values.min(), "max": values.max(), "slices": slices,
}
with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "measures.json"), "w") as file:
    json.dump(out, file, indent=1)
    file.write("\n")
