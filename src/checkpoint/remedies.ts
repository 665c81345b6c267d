// What to do in Python with files whose values are no tensors: each is one command, for a file that one trusts.

const made = (imports: string, read: string) =>
  `If you trust the file, save tensors of it: python -c "import ${imports}, torch; from torch.utils._pytree import tree_map; torch.save(tree_map(lambda v: torch.as_tensor(v) if hasattr(v, 'shape') else v, ${read}), 'new.pth')"`;

/** Of a pickle that PyTorch did not write. */
export const PICKLED = made("pickle", "pickle.load(open('old.pkl', 'rb'))");
/** Of PyTorch's file with NumPy arrays in it. */
export const WITH_ARRAYS = made("numpy", "torch.load('old.pth', map_location='cpu', weights_only=False)");
export const NPZ = made("numpy", "dict(numpy.load('old.npz'))");
