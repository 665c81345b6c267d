"""The reference network's slow spots, written for training on a CPU: same values up to rounding, same parameters.

`tests/reference` is written to be read. Importing this module puts it on sys.path, and `quicken()` swaps forward
functions in it for versions that run few, large operations on channels-last data:
- every convolution is a matrix product (also because PyTorch 1.13's bfloat16 transposed convolution on CPUs
  returns the wrong shape), so that processors with matrix units use them for everything heavy;
- decomposed relative positions ride along in the score product: q grows by its products with the rows of both
  tables, k by one-hot row and column, so that one matrix product gives scores with bias;
- LayerNorm over channels is the fused LayerNorm;
- the decoder maps its image tokens once for all attentions that read them, and sorts pixels only at the end;
- BatchNorm keeps its statistics in single precision;
- positions of prompts stay in single precision when the network runs in bfloat16.
`python speed.py` checks the two against each other.
"""
from __future__ import annotations

import sys
from pathlib import Path
from typing import Dict, List, Optional, Tuple

import torch
import torch.nn as nn
import torch.nn.functional as F
from torch import Tensor

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests" / "reference"))

import image_encoder  # noqa: E402
import mask_decoder  # noqa: E402
import prompt_encoder  # noqa: E402
from sam_med2d import Config, SamMed2D  # noqa: E402

__all__ = ["Config", "SamMed2D", "quicken"]


class _Settle(torch.autograd.Function):
    """Identity whose gradient is made contiguous."""

    @staticmethod
    def forward(ctx: object, x: Tensor) -> Tensor:
        return x.view_as(x)

    @staticmethod
    def backward(ctx: object, grad: Tensor) -> Tensor:
        return grad.contiguous()


def gelu(x: Tensor) -> Tensor:
    """Exact GELU. PyTorch 1.13 on CPUs differentiates it wrongly in bfloat16 if the gradient comes in strided."""
    return _Settle.apply(F.gelu(x))


class _Norm(torch.autograd.Function):
    """LayerNorm of bfloat16 rows on a CPU, through single precision: PyTorch 1.13's own is four times slower forwards."""

    @staticmethod
    def forward(
        ctx: "torch.autograd.function.FunctionCtx", x: Tensor, weight: Tensor, bias: Tensor, eps: float
    ) -> Tensor:
        ctx.size = [x.shape[-1]]
        y, mean, scale = torch.native_layer_norm(x.float(), ctx.size, weight.float(), bias.float(), eps)
        ctx.save_for_backward(x, mean.to(x.dtype), scale.to(x.dtype), weight, bias)
        return y.to(x.dtype)

    @staticmethod
    def backward(ctx: "torch.autograd.function.FunctionCtx", grad: Tensor) -> Tuple[Tensor, Tensor, Tensor, None]:
        x, mean, scale, weight, bias = ctx.saved_tensors
        grads = torch.ops.aten.native_layer_norm_backward(
            grad.contiguous(), x, ctx.size, mean, scale, weight, bias, [True, True, True]
        )
        return (*grads, None)


def row_norm(norm: nn.Module, x: Tensor) -> Tensor:
    """LayerNorm's or LayerNorm2d's parameters on [..., C]."""
    if x.dtype == torch.bfloat16 and not x.is_cuda:
        return _Norm.apply(x.contiguous(), norm.weight, norm.bias, norm.eps)
    return F.layer_norm(x, (x.shape[-1],), norm.weight, norm.bias, norm.eps)


def batch_norm(self: nn.BatchNorm2d, x: Tensor) -> Tensor:
    """BatchNorm2d whose means and variances, and parameters on the way in, are single precision whatever x is."""
    rate = self.momentum
    if self.training:
        self.num_batches_tracked += 1
        rate = 1 / float(self.num_batches_tracked) if rate is None else rate
    return F.batch_norm(
        x, self.running_mean, self.running_var, self.weight.float(), self.bias.float(), self.training, rate or 0.0, self.eps
    )


def patches(conv: nn.Conv2d, x: Tensor) -> Tensor:
    """Convolution whose stride is its kernel side k: [B, H, W, C] -> [B, H/k, W/k, D]."""
    b, h, w, c = x.shape
    k = conv.kernel_size[0]
    cells = x.view(b, h // k, k, w // k, k, c).permute(0, 1, 3, 5, 2, 4).reshape(b, h // k, w // k, c * k * k)
    return F.linear(cells, conv.weight.flatten(1), conv.bias)


class _Taps(torch.autograd.Function):
    """The nine shifted views of a 3x3 convolution, padding 1, side by side: [B, H, W, C] -> [B, H/step, W/step, 9C].

    By hand because the gradient of each slice would otherwise be a full-size tensor of mostly zeros.
    """

    @staticmethod
    def forward(ctx: "torch.autograd.function.FunctionCtx", x: Tensor, step: int) -> Tensor:
        ctx.shape, ctx.step = x.shape, step
        _, h, w, _ = x.shape
        padded = F.pad(x, (0, 0, 1, 1, 1, 1))
        return torch.cat([padded[:, i : i + h : step, j : j + w : step] for i in range(3) for j in range(3)], dim=-1)

    @staticmethod
    def backward(ctx: "torch.autograd.function.FunctionCtx", grad: Tensor) -> Tuple[Tensor, None]:
        b, h, w, c = ctx.shape
        total = grad.new_zeros(b, h + 2, w + 2, c)
        for tap, part in enumerate(grad.split(c, dim=-1)):
            i, j = divmod(tap, 3)
            total[:, i : i + h : ctx.step, j : j + w : ctx.step] += part
        return total[:, 1:-1, 1:-1].contiguous(), None


def conv3(conv: nn.Conv2d, x: Tensor) -> Tensor:
    """3x3 convolution, padding 1, no bias: [B, H, W, C] -> [B, H/stride, W/stride, D]."""
    return F.linear(_Taps.apply(x, conv.stride[0]), conv.weight.permute(0, 2, 3, 1).flatten(1))


def up4(conv: nn.ConvTranspose2d, x: Tensor) -> Tensor:
    """4x4 stride-2 transposed convolution, padding 1, no bias: [B, H, W, C] -> [B, 2H, 2W, D]."""
    b, h, w, c = x.shape
    out = conv.weight.shape[1]
    # Tap (2 q + r) of the kernel lands on output pixel 2 (y + q) + r: q shifts by whole cells, r picks inside one.
    weight = conv.weight.view(c, out, 2, 2, 2, 2).permute(0, 2, 4, 3, 5, 1).reshape(c, 16 * out)  # qy qx ry rx D
    cells = (x.reshape(-1, c) @ weight).view(b, h, w, 4, 4 * out)
    total = sum(
        F.pad(part, (0, 0, q % 2, 1 - q % 2, q // 2, 1 - q // 2)) for q, part in enumerate(cells.unbind(dim=3))
    )  # [B, H + 1, W + 1, 4D]
    grown = total.view(b, h + 1, w + 1, 2, 2, out).transpose(2, 3).reshape(b, 2 * h + 2, 2 * w + 2, out)
    return grown[:, 1:-1, 1:-1]


def up2(conv: nn.ConvTranspose2d, x: Tensor) -> Tensor:
    """2x2 stride-2 transposed convolution of rows: [n, C] -> [4n, D], the four new pixels of a row in a row."""
    out = conv.weight.shape[1]
    weight = conv.weight.permute(0, 2, 3, 1).reshape(x.shape[-1], 4 * out)
    return torch.addmm(conv.bias.repeat(4), x, weight).view(-1, out)


def attend(self: nn.Module, x: Tensor) -> Tensor:
    """WindowAttention.attend: [n, K, K, C] -> [n, K, K, C]."""
    n, rows, columns, c = x.shape
    tokens, d = rows * columns, c // self.heads
    q, k, v = self.qkv(x).view(n, tokens, 3, self.heads, d).permute(2, 0, 3, 1, 4)  # [n, heads, T, d] each
    # Products with a table: batched over query rows (or columns), as each has its own slice of the table.
    by_row = q.reshape(n * self.heads, rows, columns, d).transpose(0, 1).reshape(rows, -1, d)
    by_row = by_row @ image_encoder.relative_rows(self.rel_pos_h, rows).transpose(1, 2)  # [y, n heads x, key y]
    by_row = by_row.view(rows, n * self.heads, columns, rows).transpose(0, 1).reshape(n, self.heads, tokens, rows)
    by_column = q.reshape(n * self.heads * rows, columns, d).transpose(0, 1)
    by_column = by_column @ image_encoder.relative_rows(self.rel_pos_w, columns).transpose(
        1, 2
    )  # [x, n heads y, key x]
    by_column = by_column.transpose(0, 1).reshape(n, self.heads, tokens, columns)
    at = torch.arange(tokens, device=x.device)
    hot = torch.cat([F.one_hot(at // columns, rows), F.one_hot(at % columns, columns)], dim=1).to(k.dtype)  # [T, 2K]
    q = torch.cat([q * d**-0.5, by_row, by_column], dim=-1)
    k = torch.cat([k, hot.expand(n, self.heads, -1, -1)], dim=-1)
    weights = (q @ k.transpose(-2, -1)).softmax(dim=-1)
    return self.proj((weights @ v).transpose(1, 2).reshape(n, rows, columns, c))


def adapt(self: nn.Module, n: Tensor) -> Tensor:
    """Adapter.forward: [B, H, W, C] -> [B, H, W, C]."""
    down, up = self.spatial[0], self.spatial[2]
    gated = n * self.channel(n.mean(dim=(1, 2)))[:, None, None, :]
    return self.norm(n + F.relu(up4(up, F.relu(conv3(down, gated)))))


def encode(self: nn.Module, images: Tensor) -> Tensor:
    """ImageEncoder.forward: [B, 3, S, S] -> [B, 256, g, g] (channels last in memory)."""
    x = patches(self.patch_embed.proj, images.permute(0, 2, 3, 1).contiguous())
    x = x + self.positions(x.shape[1])
    for block in self.blocks:
        x = block(x)
    narrow, norm1, mix, norm2 = self.neck
    x = row_norm(norm1, F.linear(x, narrow.weight.flatten(1)))
    return row_norm(norm2, conv3(mix, x)).permute(0, 3, 1, 2)


def position(self: nn.Module, unit: Tensor) -> Tensor:
    """PositionEmbedding.forward: [..., 2] -> [..., 256], in the precision of the matrix, which is never rounded."""
    z = (
        2
        * torch.pi
        * ((2 * unit.to(self.positional_encoding_gaussian_matrix.dtype) - 1) @ self.positional_encoding_gaussian_matrix)
    )
    return torch.cat([z.sin(), z.cos()], dim=-1)


def dense(self: nn.Module, prompts: int, grid: int, mask_input: Optional[Tensor]) -> Tensor:
    """PromptEncoder.dense: [P, 1, 4g, 4g] -> [P, 256, g, g] (channels last in memory)."""
    if mask_input is None:
        return self.no_mask_embed.weight.view(1, -1, 1, 1).expand(prompts, -1, grid, grid)
    conv1, norm1, _, conv2, norm2, _, conv3_ = self.mask_downscaling
    x = gelu(row_norm(norm1, patches(conv1, mask_input.permute(0, 2, 3, 1))))
    x = gelu(row_norm(norm2, patches(conv2, x)))
    return F.linear(x, conv3_.weight.flatten(1), conv3_.bias).permute(0, 3, 1, 2)


def heads(x: Tensor, count: int = 8) -> Tensor:
    """[P, N, inner] -> [P, heads, N, d]."""
    return x.reshape(*x.shape[:2], count, -1).transpose(1, 2)


def attention(layer: nn.Module, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    """Projected q [P, Nq, inner], k and v [P, Nk, inner] -> [P, Nq, 256]."""
    q = heads(q * (q.shape[-1] // 8) ** -0.5)
    weights = (q @ heads(k).transpose(-2, -1)).softmax(dim=-1)
    return layer.out_proj((weights @ heads(v)).transpose(1, 2).flatten(2))


def project(image: Tensor, image_pe: Tensor, placed: List[nn.Linear], plain: List[nn.Linear]) -> Tuple[Tensor, ...]:
    """Linear maps of image + image_pe (placed) and of image alone (plain), in one product over the image.

    The share of the position is a product of its own: it is the same for all prompts.
    """
    layers = placed + plain
    both = F.linear(image, torch.cat([layer.weight for layer in layers]))
    place = torch.cat(
        [layer(image_pe) for layer in placed] + [layer.bias.expand(1, image.shape[1], -1) for layer in plain], dim=-1
    )
    return (both + place).split([layer.out_features for layer in layers], dim=-1)


def decode_masks(self: nn.Module, image: Tensor, image_pe: Tensor, sparse: Tensor) -> Tuple[Tensor, Tensor]:
    """MaskDecoder.forward: image [P, 256, g, g], sparse [P, N, 256] -> logits [P, 4, 4g, 4g], scores [P, 4]."""
    prompts, c, g, _ = image.shape
    # Positions are computed in single precision whatever the network runs in, and rounded only here.
    pe, sparse = image_pe.to(image.dtype).flatten(2).transpose(1, 2), sparse.to(image.dtype)
    output = torch.cat([self.iou_token.weight, self.mask_tokens.weight]).expand(prompts, -1, -1)
    token_pe = torch.cat([output, sparse], dim=1)
    tokens, seen = token_pe, image.flatten(2).transpose(1, 2)
    for layer in self.transformer.layers:
        own, read, write = layer.self_attn, layer.cross_attn_token_to_image, layer.cross_attn_image_to_token
        placed = tokens if layer.first else tokens + token_pe
        attended = attention(own, own.q_proj(placed), own.k_proj(placed), own.v_proj(tokens))
        tokens = layer.norm1(attended if layer.first else tokens + attended)
        k, q, v = project(seen, pe, [read.k_proj, write.q_proj], [read.v_proj])
        tokens = layer.norm2(tokens + attention(read, read.q_proj(tokens + token_pe), k, v))
        tokens = layer.norm3(tokens + layer.mlp(tokens))
        seen = layer.norm4(seen + attention(write, q, write.k_proj(tokens + token_pe), write.v_proj(tokens)))
    last = self.transformer.final_attn_token_to_image
    k, v = project(seen, pe, [last.k_proj], [last.v_proj])
    tokens = self.transformer.norm_final_attn(tokens + attention(last, last.q_proj(tokens + token_pe), k, v))

    # New pixels stay beside their parent; only the finished logits are put in image order.
    first, norm, _, second, _ = self.output_upscaling
    x = gelu(row_norm(norm, up2(first, seen.reshape(-1, c))))
    x = gelu(up2(second, x)).view(prompts, 16 * g * g, -1)  # [P, y x 2 2 2 2, 32]
    hyper = torch.stack([mlp(tokens[:, 1 + i]) for i, mlp in enumerate(self.output_hypernetworks_mlps)], dim=1)
    logits = (hyper @ x.transpose(1, 2)).view(prompts, -1, g, g, 2, 2, 2, 2).permute(0, 1, 2, 4, 6, 3, 5, 7)
    return logits.reshape(prompts, -1, 4 * g, 4 * g), self.iou_prediction_head(tokens[:, 0])


def quicken() -> None:
    """Puts the versions above in place, for every SamMed2D of this process."""
    nn.LayerNorm.forward = row_norm
    nn.BatchNorm2d.forward = batch_norm
    image_encoder.WindowAttention.attend = attend
    image_encoder.Adapter.forward = adapt
    image_encoder.ImageEncoder.forward = encode
    prompt_encoder.PositionEmbedding.forward = position
    prompt_encoder.PromptEncoder.dense = dense
    mask_decoder.MaskDecoder.forward = decode_masks


def main() -> None:
    torch.manual_seed(0)
    model = SamMed2D(Config(width=128, depth=2, heads=2, global_blocks=(1,))).eval()
    for parameter in model.parameters():
        nn.init.normal_(parameter, std=0.2)
    images, boxes, mask = torch.randn(2, 3, 256, 256), torch.rand(2, 4) * 256, torch.rand(2, 1, 64, 64)
    seed = torch.randn(2, 3, 64, 64)

    def run() -> Dict[str, Tensor]:
        model.zero_grad()
        embedding = model.encode(images)
        logits, scores = model.decode(embedding, boxes=boxes, mask_input=mask)
        ((logits * seed).mean() + scores.square().mean()).backward()
        grads = {name: p.grad.clone() for name, p in model.named_parameters() if p.grad is not None}
        return {"embedding": embedding, "logits": logits, "scores": scores, **grads}

    before = run()
    quicken()
    after = run()
    assert before.keys() == after.keys()
    # The bias of a key shifts a whole row of scores, which softmax ignores: its gradient is zero but for rounding.
    worst = {
        name: float((after[name] - value).abs().max() / value.abs().max().clamp(min=1e-12))
        for name, value in before.items()
        if not name.endswith("k_proj.bias")
    }
    for name in sorted(worst, key=worst.__getitem__)[-5:]:
        print(f"{name}: off by {worst[name]:.2g} of its largest value")
    # Other orders of summation in single precision, amplified through the layers and back.
    assert max(worst.values()) < 2e-3


if __name__ == "__main__":
    main()
