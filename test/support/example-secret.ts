/** A secret for a variable that an example names: a URL where only one is valid. */
export function exampleSecret(name: string): string {
  if (/MYSQL.*DSN/.test(name)) return 'mysql://monitor:a-secret@db:3306';
  if (/DSN/.test(name)) return 'postgresql://monitor:a-secret@db:5432/shop';
  return /URL/.test(name) ? 'https://example.com/a-secret' : '12345678';
}
