-- SPDX-License-Identifier: MIT
-- string_buffer.lua [ROUNDS]: makes text and takes it apart again: appending,
-- concat, format, rep, reverse, case, find, gmatch and gsub. Most of what it
-- allocates are short strings that die at once. Prints lengths and hashes.

local rounds = tonumber(arg[1]) or 200

local function hash(s)
  local h = 5381
  for i = 1, #s do h = (h * 33 + string.byte(s, i)) % 4294967291 end
  return h
end

local function line(i)
  return string.format("%05d %-8s|%8.3f|%s", i, string.rep("x", i % 8),
                       i / 7, string.char(97 + i % 26))
end

-- Buffer of pieces, joined once.
local function joined(lines)
  local buffer = {}
  for i = 1, lines do buffer[#buffer + 1] = line(i) end
  return table.concat(buffer, "\n")
end

-- The naive way: the string grows by one piece at a time.
local function appended(pieces)
  local s = ""
  for i = 1, pieces do s = s .. i .. "," end
  return s
end

local function numbers_of(text)
  local sum, found = 0, 0
  for digits in string.gmatch(text, "%d+") do
    sum = (sum + tonumber(digits)) % 1000000007
    found = found + 1
  end
  return sum, found
end

local function swap_fields(text)
  return (string.gsub(text, "(%d+) (%a*)", "%2=%1"))
end

local function count_plain(text, needle)
  local found, from = 0, 1
  while true do
    local s, e = string.find(text, needle, from, true)
    if not s then return found end
    found, from = found + 1, e + 1
  end
end

local total = 0
for round = 1, rounds do
  local text = joined(300 + round)
  local sum, found = numbers_of(text)
  local swapped = swap_fields(text)
  local list = appended(250)
  local upper = string.upper(string.reverse(swapped))
  local caps = string.gsub(upper, "%u+", function(word)
    return #word > 3 and string.lower(word) or nil
  end)
  total = (total * 31 + #caps + sum + count_plain(text, "xx")) % 1000000007
  if round % 50 == 0 or round == rounds then
    io.write(string.format("%d: %d bytes, %d numbers, sum %d, hash %d %d\n",
                           round, #text, found, sum, hash(caps), hash(list)))
  end
end
io.write(string.format("total %d\n", total))
