/** Which rows become examples, and where examples are written to. */

/** A value that a column is compared with. */
export type ConditionValue = string | number | boolean;

/** A condition on the rows of a source. */
export type Condition =
  | { readonly column: string; readonly operator: 'is null' | 'is not null' }
  | {
      /** A column, or a member of one: `range.start.line`. A name that holds a dot is given in backticks. */
      readonly column: string;
      readonly operator?: '=' | '<>' | '<' | '<=' | '>' | '>=' | 'like' | 'not like' | 'in' | 'not in';
      /** A list for `in` and `not in`. */
      readonly value: ConditionValue | readonly ConditionValue[];
      /** What becomes of rows in which the column has no value: SQL drops them, whatever the comparison, unless they are to be kept. */
      readonly nulls?: 'keep' | 'drop';
    }
  | {
      /** SQL that is sent as it stands: never put data into it. */
      readonly expression: string;
      /** The values of the parameters that it names as `:name`. */
      readonly parameters?: Readonly<Record<string, ConditionValue>>;
    };

/** Files in a volume or in cloud storage: a file, a folder or a pattern. */
export interface FileSource {
  readonly files: string;
  /** `json`, `csv`, `parquet`, `delta`, `text` ... */
  readonly format: string;
  /** Options of [`read_files`](https://docs.databricks.com/sql/language-manual/functions/read_files): `header`, `multiLine`, `schema` ... */
  readonly options?: Readonly<Record<string, ConditionValue>>;
}

/** Rows as examples. It becomes one SQL statement, with names quoted and values as parameters. */
export interface Selection {
  /**
   * The table or view, `catalog.schema.table`: one of a [foreign catalog](https://docs.databricks.com/query-federation/) too, so that tables in
   * BigQuery, PostgreSQL or Snowflake are read where they are. Or files, or the rows of another selection.
   */
  readonly from: string | FileSource | Selection;
  /** All of them hold for a row that is taken. */
  readonly where?: readonly Condition[];
  /** The fields of an example, and the SQL expressions of their values: `{ error_line: 'range.start.line' }`. They are sent as they stand. */
  readonly fields: Readonly<Record<string, string>>;
  /** The fields that a program is given; the others are what is wanted of it. All of them unless given. */
  readonly inputs?: readonly string[];
  /** A part that is the same whenever and wherever it is taken; rows that are alike are taken together. */
  readonly sample?: { readonly seed: number } & ({ readonly rows: number } | { readonly share: number });
  /** At most so many. */
  readonly limit?: number;
}

/** Where examples are written to: a table, or Parquet files in a folder of a volume, which replace what is there. */
export type DataOutput =
  | { readonly table: string; /** What becomes of a table that is there; `create` unless given: there must be none. */ readonly mode?: 'create' | 'replace' | 'append' }
  | { readonly parquet: string };
