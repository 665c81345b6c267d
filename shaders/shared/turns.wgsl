// sin and cos of an angle in turns, to 1e-7: the built-in ones may be off by 2^-11, which positional encodings can't afford.

fn sin_turns(turns: f32) -> f32 {
  // To a quarter turn around zero, where sin(pi - a) = sin(a) folds the rest in.
  var t = turns - round(turns);
  if (abs(t) > 0.25) { t = sign(t) * 0.5 - t; }
  let a = 6.283185307179586 * t;
  let s = a * a;
  return a * (1.0 + s * (-1.0 / 6.0 + s * (1.0 / 120.0 + s * (-1.0 / 5040.0 + s * (1.0 / 362880.0 + s * (-1.0 / 39916800.0))))));
}

fn cos_turns(turns: f32) -> f32 {
  return sin_turns(turns - round(turns) + 0.25);
}
