"""Reads files of labels with other people's software and prints what differs from cases.json, a line each; nothing where all agree.

    python check_labels.py FOLDER      (highdicom, nibabel, numpy, pillow, pycocotools, pydicom, SimpleITK)
"""
import json, os, sys
import highdicom, nibabel, numpy as np, pydicom, SimpleITK as sitk
from PIL import Image
from pycocotools.coco import COCO

FOLDER = sys.argv[1]
path = lambda name: os.path.join(FOLDER, name)
cases = json.load(open(path("cases.json")))

def places(points):
    """Patient positions in LPS, to a hundredth of a millimetre, in any order."""
    return sorted(tuple(float(v) + 0.0 for v in np.round(p, 2)) for p in points)

def compare(name, what, got, want):
    got, want = places(got), places(want)
    far = len(got) != len(want) or any(max(abs(a - b) for a, b in zip(p, q)) > 0.021 for p, q in zip(got, want))
    if far:
        print(f"{name}: {what} has {len(got)} voxels at {got[:2]} …, expected {len(want)} at {want[:2]} …")

def seg_points(file, number):
    d = pydicom.dcmread(file)
    frames = d.pixel_array.reshape(int(d.NumberOfFrames), d.Rows, d.Columns)
    shared = d.SharedFunctionalGroupsSequence[0]
    row, column = np.array(shared.PlaneOrientationSequence[0].ImageOrientationPatient, float).reshape(2, 3)
    between_rows, between_columns = map(float, shared.PixelMeasuresSequence[0].PixelSpacing)
    for frame, group in zip(frames, d.PerFrameFunctionalGroupsSequence):
        if group.SegmentIdentificationSequence[0].ReferencedSegmentNumber != number:
            continue
        origin = np.array(group.PlanePositionSequence[0].ImagePositionPatient, float)
        for j, i in np.argwhere(frame):
            yield origin + row * between_columns * i + column * between_rows * j

def itk_points(file, value, layer=None):
    image = sitk.ReadImage(file)
    array = sitk.GetArrayFromImage(image)
    array = array if array.ndim == 3 else array[..., layer]
    for k, j, i in np.argwhere(array == value):
        yield image.TransformIndexToPhysicalPoint((int(i), int(j), int(k)))

def nibabel_points(file, value):
    image = nibabel.load(file)
    for index in np.argwhere(np.asanyarray(image.dataobj) == value):
        yield (image.affine @ [*index, 1])[:3] * [-1, -1, 1]

for case in cases["positions"]:
    name, labels = case["name"], case["labels"]
    if "seg" in case:
        file = path(case["seg"])
        segmentation = highdicom.seg.segread(file)
        if segmentation.number_of_segments != len(labels):
            print(f"{name}: highdicom finds {segmentation.number_of_segments} segments, expected {len(labels)}")
        for n, label in enumerate(labels, 1):
            description = segmentation.get_segment_description(n)
            if description.segment_label != label["name"]:
                print(f"{name}: segment {n} is {description.segment_label}, expected {label['name']}")
            compare(name, f"segment {label['name']} by pydicom", seg_points(file, n), label["points"])
            total = sum(int(segmentation.pixel_array.reshape(-1, segmentation.Rows, segmentation.Columns)[f].sum())
                        for f, group in enumerate(segmentation.PerFrameFunctionalGroupsSequence)
                        if group.SegmentIdentificationSequence[0].ReferencedSegmentNumber == n)
            if total != len(label["points"]):
                print(f"{name}: highdicom counts {total} voxels of {label['name']}, expected {len(label['points'])}")
        sources = segmentation.get_source_image_uids()
        if {str(uid[2]) for uid in sources} - set(case["instances"]):
            print(f"{name}: source images {sources} are not all of the series")
    for label in labels:
        if "nifti" in case:
            compare(name, f"{label['name']} by nibabel", nibabel_points(path(case["nifti"]), label["id"]), label["points"])
            compare(name, f"{label['name']} of NIfTI by SimpleITK", itk_points(path(case["nifti"]), label["id"]), label["points"])
        if "nrrd" in case:
            compare(name, f"{label['name']} of NRRD by SimpleITK", itk_points(path(case["nrrd"]), label["id"], label["layer"]), label["points"])

for case in cases["affines"]:
    before, after = (nibabel.load(path(case[key])) for key in ("source", "labels"))
    for key in ("qform_code", "sform_code", "srow_x", "srow_y", "srow_z", "quatern_b", "quatern_c", "quatern_d", "qoffset_x", "qoffset_y", "qoffset_z"):
        if before.header[key].tobytes() != after.header[key].tobytes():
            print(f"{case['source']}: {key} {before.header[key]} became {after.header[key]}")
    if before.header["pixdim"][:4].tobytes() != after.header["pixdim"][:4].tobytes() or (before.affine != after.affine).any():
        print(f"{case['source']}: affine\n{before.affine}\nbecame\n{after.affine}")

for name in cases["coco"]:
    coco = COCO(path(name["file"]))
    for annotation in coco.loadAnns(coco.getAnnIds()):
        image = coco.loadImgs(annotation["image_id"])[0]
        want = name["masks"][f"{annotation['category_id']} {image['slice']}"]
        got = np.flatnonzero(coco.annToMask(annotation).ravel()).tolist()
        if got != want or annotation["area"] != len(want):
            print(f"{name['file']}: {annotation['category_id']} on slice {image['slice']} has {len(got)} pixels, expected {len(want)}")

for picture in cases["pictures"]:
    image = Image.open(path(picture["file"]))
    if image.mode != picture["mode"] or np.asarray(image).ravel().tolist() != picture["values"]:
        print(f"{picture['file']}: {image.mode} with values {np.unique(np.asarray(image))}")
    for value, color in picture["colors"].items():
        if image.mode == "P" and image.getpalette()[3 * int(value):3 * int(value) + 3] != color:
            print(f"{picture['file']}: {value} has the colour {image.getpalette()[3 * int(value):3 * int(value) + 3]}, expected {color}")

for case in cases["measures"]:
    image, labels = (sitk.ReadImage(path(case[key])) for key in ("image", "labels"))
    shape, values = sitk.LabelShapeStatisticsImageFilter(), sitk.LabelStatisticsImageFilter()
    shape.Execute(sitk.Cast(labels, sitk.sitkUInt16))
    values.Execute(sitk.Cast(image, sitk.sitkFloat64), sitk.Cast(labels, sitk.sitkUInt16))
    for label in case["ours"]:
        n = label["id"]
        array = sitk.GetArrayFromImage(image)[sitk.GetArrayFromImage(labels) == n].astype(float)
        theirs = {"volume": shape.GetPhysicalSize(n) / 1000, "mean": values.GetMean(n), "min": values.GetMinimum(n), "max": values.GetMaximum(n), "sd": array.std()}
        for key, want in theirs.items():
            if abs(label[key] - want) > 0.01 * abs(want) + 1e-9:
                print(f"{case['image']}: {key} of label {n} is {label[key]}, SimpleITK has {want}")
