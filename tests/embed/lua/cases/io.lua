-- SPDX-License-Identifier: MIT
-- Files: writing, reading by lines and formats, errors, closing.
local name = os.tmpname()
local f = assert(io.open(name, "w"))
print(io.type(f), io.type(42), tostring(f):match("^file %(") ~= nil)
print(f:write("line one\n", 2, " ", 3.5, "\n\nlast") == f, f:close(),
  io.type(f))
print(pcall(f.write, f, "x"))
for l in io.lines(name) do io.write("[", l, "]") end print()
f = io.open(name)
print(f:read(), f:read("n"), f:read("n"), f:read("l"), f:read("L"),
  f:read("a"))
print(f:read(), f:read("a"), f:read(0))
print(f:seek("set", 5), f:read(3), f:seek("cur"), f:seek("end"))
f:close()
f = io.open(name, "a"); f:write("\nappended"); f:close()
f = io.open(name)
local n = 0
for l in f:lines("L") do n = n + #l end
print(n) f:close()
print(io.open("/nonexistent/file"))
print(pcall(io.lines, "/nonexistent/file"))
print(pcall(io.open, name, "bad"))
print(io.write("") == io.stdout, io.type(io.stdin))
print(os.remove(name), os.remove(name) == nil,
  os.getenv("TLUA_UNSET_VARIABLE"))
print(type(os.time()), type(os.clock()), os.time({ year = 2020, month = 1,
  day = 1, hour = 12 }) ~= nil, os.date("!%Y-%m-%d %H:%M:%S", 86400))
