/** An error that is told to the client as it is. Anything else that is thrown becomes a 500 without its message. */
export class ApiError extends Error {
  readonly status: number;
  readonly code: string;
  /** Seconds until another try makes sense; sent as `Retry-After`. */
  readonly retryAfter: number | undefined;
  /** What clients look at where the code says too little, such as FILES_API_DIRECTORY_IS_NOT_EMPTY. */
  readonly reason: string | undefined;

  constructor(status: number, code: string, message: string, more: { retryAfter?: number; reason?: string } = {}) {
    super(message);
    this.name = "ApiError";
    this.status = status;
    this.code = code;
    this.retryAfter = more.retryAfter;
    this.reason = more.reason;
  }

  /** The body that every Databricks REST API answers errors with. */
  body(requestId: string): object {
    const details: object[] = [
      { "@type": "type.googleapis.com/google.rpc.RequestInfo", request_id: requestId, serving_data: "" },
    ];
    if (this.retryAfter !== undefined) {
      details.push({ "@type": "type.googleapis.com/google.rpc.RetryInfo", retry_delay: `${this.retryAfter}s` });
    }
    if (this.reason !== undefined) {
      details.push({ "@type": "type.googleapis.com/google.rpc.ErrorInfo", reason: this.reason, domain: "lakelet-workspace", metadata: {} });
    }
    return { error_code: this.code, message: this.message, details };
  }
}

export const invalid = (message: string) => new ApiError(400, "INVALID_PARAMETER_VALUE", message);
export const missing = (message: string) => new ApiError(404, "RESOURCE_DOES_NOT_EXIST", message);
export const exists = (message: string) => new ApiError(409, "RESOURCE_ALREADY_EXISTS", message);
export const notImplemented = (message: string) => new ApiError(501, "NOT_IMPLEMENTED", message);
export const unavailable = (message: string, retryAfter: number) =>
  new ApiError(503, "TEMPORARILY_UNAVAILABLE", message, { retryAfter });
