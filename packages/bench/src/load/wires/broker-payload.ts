/** What is published through a broker that carries bytes and knows nothing of chat: as long as the other servers' frames. */
export function brokerPayload(member: number, room: string | number, text: string): string {
  const user = `user${String(member).padStart(5, '0')}`;
  return `{"type":"message","room":"${room}","seq":1000000,"from":"${user}","at":"2026-01-01T00:00:00.000Z","text":"${text}"}`;
}
