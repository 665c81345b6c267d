/** A dataset, prompt or result file that is not what the evaluation needs. */
export class EvaluationError extends Error {
  override readonly name = "EvaluationError";

  constructor(
    readonly file: string,
    readonly expected: string,
    readonly got: string,
    readonly remedy: string,
    options?: ErrorOptions,
  ) {
    super(`${file}: expected ${expected}, got ${got}. ${remedy}`, options);
  }
}
