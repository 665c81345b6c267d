// What the build knows about one WGSL file: the kernel declaration that ops record and the gpu folder compiles.

export type Scalar = "u32" | "i32" | "f32";

export interface ShaderBinding {
  readonly name: string;
  /** `@binding(index)` in group 0. */
  readonly index: number;
  readonly access: "read" | "write" | "uniform";
}

/** One member of the uniform `Params` struct. */
export interface ShaderField {
  readonly name: string;
  /** Bytes from the start of the struct. */
  readonly offset: number;
  readonly type: Scalar;
}

export interface Shader {
  /** Base name of the file: `layer_norm`. */
  readonly name: string;
  readonly bindings: readonly ShaderBinding[];
  readonly params: readonly ShaderField[];
  /** Module-scope `const NAME: type = literal` of the file: defaults that a dispatch may replace (tile sizes, switches). */
  readonly constants: Readonly<Record<string, { readonly type: Scalar | "bool"; readonly value: number | boolean }>>;
  /** Names of the link-time conditions (`@if(name)`) the file knows. */
  readonly conditions: readonly string[];
  /** WGSL without those constants, by the condition that holds; "" where none does. */
  readonly code: Readonly<Record<string, string>>;
}

export type Constants = Readonly<Record<string, number | boolean>>;

/** The WGSL text a dispatch compiles: a generated `const` prelude, then the code linked under its condition. */
export function shaderText(shader: Shader, constants: Constants, condition = ""): string {
  for (const name of Object.keys(constants)) {
    if (!(name in shader.constants)) throw new Error(`${shader.name}.wgsl: no constant ${name}; it declares ${Object.keys(shader.constants).join(", ")}`);
  }
  const prelude = Object.entries(shader.constants).map(([name, { type, value }]) => `const ${name}: ${type} = ${literal(type, constants[name] ?? value)};`);
  const code = shader.code[condition];
  if (code === undefined) throw new Error(`${shader.name}.wgsl: no condition ${condition}; it knows ${shader.conditions.join(", ") || "none"}`);
  // Directives must stand before every declaration.
  const directives = /^(?:(?:enable|requires|diagnostic)\b[^;]*;\n?)*/.exec(code)?.[0] ?? "";
  return `${directives}${prelude.join("\n")}\n${code.slice(directives.length)}`;
}

function literal(type: Scalar | "bool", value: number | boolean): string {
  if (type === "bool") return value ? "true" : "false";
  if (type === "f32") return Number.isInteger(value) ? `${value}.0` : `${value}`;
  return `${value}`;
}

/**
 * What the build writes for a WGSL file, as a `Shader`. Constants are `type:name:value`, separated by spaces. A line of the text that only some
 * conditions have starts with `~`, their indices and a blank: 0 for none, 1 for the first. Bindings and params are read off the text.
 */
export function declared(name: string, constants: string, conditions: string, text: string): Shader {
  const rows = (table: string) => (table ? table.split(" ").map((row) => row.split(":")) : []) as string[][];
  const names = rows(conditions).map(([condition]) => condition as string);
  const lines = text.split("\n").map((line) => /^(?:~(\d+) )?(.*)$/.exec(line) as unknown as [string, string | undefined, string]);
  const under = (index: number) =>
    lines
      .filter(([, indices]) => !indices || indices.includes(`${index}`))
      .map(([, , line]) => line)
      .join("\n");
  const code = Object.fromEntries(["", ...names].map((condition, index) => [condition, under(index)]));
  const bindings = [...text.matchAll(/@binding\((\d+)\)var<(uniform|storage,read|storage,read_write)>(\w+)/g)].map(
    ([, index, space, name]) => ({ name, index: Number(index), access: ACCESS[space as keyof typeof ACCESS] }) as ShaderBinding,
  );
  const fields = /struct Params\{([^}]*)\}/.exec(text)?.[1]?.match(/\w+:\w+/g) ?? [];
  return {
    name,
    bindings: [...new Map(bindings.map((binding) => [binding.index, binding])).values()].sort((a, b) => a.index - b.index),
    params: fields.map((field, i) => ({ name: field.split(":")[0] as string, offset: 4 * i, type: field.split(":")[1] as Scalar })),
    constants: Object.fromEntries(
      rows(constants).map(([type, constant, value]) => [constant, { type, value: type === "bool" ? value === "true" : Number(value) }]),
    ) as Shader["constants"],
    conditions: names,
    code,
  };
}

const ACCESS = { uniform: "uniform", "storage,read": "read", "storage,read_write": "write" } as const;

/** Bytes of the shader's uniform buffer. */
export function paramsBytes({ params }: Shader): number {
  return Math.max(16, Math.ceil((params.length * 4) / 16) * 16);
}
