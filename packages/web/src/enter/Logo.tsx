/** Two who talk. */
export function Logo({ size }: { size: number }) {
  return (
    <svg viewBox="0 0 32 32" width={size} height={size} aria-hidden>
      <path
        fill="var(--accent)"
        opacity="0.45"
        d="M6 3h14a4 4 0 0 1 4 4v7a4 4 0 0 1-4 4h-7l-6 5v-5H6a4 4 0 0 1-4-4V7a4 4 0 0 1 4-4z"
      />
      <path
        fill="var(--accent)"
        d="M26 11v3a6 6 0 0 1-6 6h-6.3l-1.2 1c.7 1.2 2 2 3.5 2h4l5 5v-5h1a4 4 0 0 0 4-4v-4a4 4 0 0 0-4-4z"
      />
    </svg>
  );
}
