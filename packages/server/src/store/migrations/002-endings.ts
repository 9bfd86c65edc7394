/** Ends of sessions and accounts, which every node asks for all the time: few among many events. */
export const sql = `
create index events_endings on events (id) where type in ('session.ended', 'user.deactivated', 'user.deleted');
`;
