/** Whether something failed only because the image has no shell, as distroless ones do; engines say it in a sentence. */
export function lacksShell(error: unknown): boolean {
  const said = error instanceof Error ? error.message : String(error);
  return /["'/]sh\b/.test(said) && /no such file|not found|executable file/i.test(said);
}
