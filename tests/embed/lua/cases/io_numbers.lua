-- SPDX-License-Identifier: MIT
-- Numerals in files, reads of nothing, directories as files; times.
local name = os.tmpname()
local function file_of(text)
  local f = assert(io.open(name, "w"))
  f:write(text)
  f:close()
  return assert(io.open(name))
end

-- What read("n") makes of a text and what it leaves.
local function numeral(text)
  local f = file_of(text)
  local n = f:read("n")
  print((#text < 40 and text or #text), n, math.type(n), f:read("a"))
  f:close()
end
for _, text in ipairs {
  "-3.5e2xyz", "3.5e2", "0x1F rest", "0x1.8p4!", "0X.8p-1,", "-0x10", "00012",
  "0x", "0xg", "x12", "1e", "1e+", "1e5e5", "1.5.5", ".5", ".", "-.", "-", "+7",
  "+-7", "- 7", "12abc", "12-3", "1p4", "0x1e4", "0x1p", "  \n\t 42 43", "",
  "   ", "nan", "inf", "1_000", "9223372036854775807", "9223372036854775808",
  "-9223372036854775808", "0xffffffffffffffffff", "1e400", "0e12", "e5",
  "5.", "5.e3;", "0x.p1", "0x5.p1", "08", "0b1", "1,5",
} do
  numeral(text)
end
for _, n in ipairs { 198, 199, 200, 201, 202, 400 } do
  numeral(("0"):rep(n))
  numeral("." .. ("1"):rep(n))
  numeral("1e" .. ("0"):rep(n))
end

local f = file_of("1 2 3\n0x10 .5 -7 word 9")
print(f:read("n", "n", "l", "n", "n", "n", "n", "n"))
print(f:read("a"))
f:close()
f = file_of("10 20\n30\nend")
for a, b in f:lines("n", "n") do print(a, b) end
f:close()

f = file_of("ab")
print(f:read(0), f:read(1), f:read(0), f:read(1), f:read(0), f:read(0))
f:close()
print(os.remove(name))

-- A directory opens but does not read.
print(pcall(function() for l in io.lines("/tmp") do print(l) end end))
print(pcall(function() for l in io.lines("/tmp", 1, "n") do print(l) end end))
f = assert(io.open("/tmp"))
print(f:read("l"))
print(f:read("n", "a"))
print(pcall(function() for l in f:lines() do print(l) end end))
print(io.type(f), f:close())

-- os.time() checks its fields and normalises them.
local function show(t)
  local keys = {}
  for k in pairs(t) do keys[#keys + 1] = k end
  table.sort(keys)
  for i, k in ipairs(keys) do keys[i] = k .. "=" .. tostring(t[k]) end
  print(table.concat(keys, " "))
end
local function time(t)
  print(pcall(os.time, t))
  show(t)
end
time { year = 2024, month = 2, day = 30 }
time { year = 2024, month = 14, day = -3, hour = 25, min = 61, sec = -1 }
time { year = "2020", month = "1", day = 1.0, hour = 0, isdst = false }
time { year = 2001, month = 1, day = 1, hour = 0, isdst = true }
time(setmetatable({ year = 2020 }, { __index = { month = 3, day = 4 } }))
time { year = 1e15, month = 1, day = 1 }
time { year = 2020, month = 1e15, day = 1 }
time { year = 2020, month = 1, day = -1e15 }
time { year = 2020, month = 1, day = 1, sec = 2 ^ 31 }
time { year = 2020, month = math.mininteger, day = 1 }
time { year = 2020, month = math.maxinteger, day = 1 }
time { year = 2 ^ 31 + 1899, month = 1, day = 1 }
time { year = 2 ^ 31 + 1900, month = 1, day = 1 }
time { year = -2 ^ 31 + 1900, month = 1, day = 1 }
time { year = -2 ^ 31 + 1899, month = 1, day = 1 }
time { year = 2020, month = 1 }
time { year = 2020, day = 1 }
time { month = 1, day = 1 }
time { year = 2020, month = 1.5, day = 1 }
time { year = 2020, month = "x", day = 1 }
time { year = 2020, month = 1, day = {} }
print(pcall(os.time, 5))
