/** Whether what an engine says means that the image has no shell, as distroless ones have none. */
export function lacksShell(said: string): boolean {
  return /["'/]sh\b/.test(said) && /no such file|not found|executable file/i.test(said);
}
