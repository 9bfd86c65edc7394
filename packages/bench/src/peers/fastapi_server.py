"""FastAPI with PostgreSQL in the usual pattern: a message is inserted, then sent to each socket of its room in turn."""

import json
import os
from collections import defaultdict
from datetime import datetime, timezone

import asyncpg
import uvicorn
from fastapi import FastAPI, WebSocket, WebSocketDisconnect

app = FastAPI()
rooms: dict[str, dict[WebSocket, str]] = defaultdict(dict)
pool: asyncpg.Pool


@app.on_event("startup")
async def connect() -> None:
    global pool
    pool = await asyncpg.create_pool(os.environ["DATABASE_URL"], min_size=10, max_size=10)
    await pool.execute(
        "create table if not exists messages (id bigserial primary key, room text not null, author text not null, "
        "text text not null, at timestamptz not null)"
    )
    await pool.execute("create index if not exists messages_room on messages (room, id)")


@app.on_event("shutdown")
async def disconnect() -> None:
    await pool.close()


@app.websocket("/")
async def chat(socket: WebSocket) -> None:
    await socket.accept()
    user = ""
    joined: list[str] = []
    try:
        while True:
            ask = json.loads(await socket.receive_text())
            if ask["type"] == "join":
                user, joined = ask["user"], ask["rooms"]
                for room in joined:
                    rooms[room][socket] = user
                await socket.send_text('{"type":"joined"}')
                continue
            room, text, at = ask["room"], ask["text"], datetime.now(timezone.utc)
            number = await pool.fetchval(
                "insert into messages (room, author, text, at) values ($1, $2, $3, $4) returning id", room, user, text, at
            )
            message = {"type": "message", "room": room, "seq": number, "from": user, "at": at.isoformat(), "text": text}
            frame = json.dumps(message, separators=(",", ":"))
            for other in list(rooms[room]):
                await other.send_text(frame)
    except (WebSocketDisconnect, RuntimeError):
        # RuntimeError: another one went away while it was sent to.
        pass
    finally:
        for room in joined:
            rooms[room].pop(socket, None)


if __name__ == "__main__":
    uvicorn.run(
        app,
        host="127.0.0.1",
        port=int(os.environ["PORT"]),
        log_level="warning",
        ws="websockets",
        ws_per_message_deflate=False,
        backlog=2048,
    )
