"""An outside agent over MCP: `python mcp_client.py ENVIRONMENT [OPTIONS ...]`, or with the address of a server, http://...

It knows no world. It begins an episode, does one of the commands that it is told, turn by turn, and prints the score.
"""

import asyncio
import json
import sys

from mcp import Client
from mcp.client.stdio import StdioServerParameters


async def play(server, seed=3):
    """One episode; the score at its end."""
    async with Client(server) as client:
        (world,) = (await client.call_tool("list_envs")).structured_content["envs"]
        rules = await client.read_resource(world["rules"])
        print(f"{world['id']}: {rules.contents[0].text.splitlines()[0]}", file=sys.stderr)
        now = (await client.call_tool("start", {"seed": seed})).structured_content
        session, n = now["session"], 0
        while not now["done"]:
            n += 1
            action = now["commands"][(7 * n + 3) % len(now["commands"])]
            now = (await client.call_tool("act", {"action": action, "session": session})).structured_content
        return (await client.call_tool("score", {"session": session})).structured_content


if __name__ == "__main__":
    where = sys.argv[1]
    command = StdioServerParameters(command="ludarium", args=["serve", *sys.argv[1:], "--mcp"])
    print(json.dumps(asyncio.run(play(where if where.startswith("http") else command))))
