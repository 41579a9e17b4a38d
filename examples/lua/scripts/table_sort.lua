-- SPDX-License-Identifier: MIT
-- table_sort.lua [N]: sorts N integers, records and strings with and without a
-- comparison function, then inserts and removes in the middle. Every order is
-- total, so the result does not depend on the sorting algorithm.

local n = tonumber(arg[1]) or 60000

local seed = 42
local function random(limit)
  seed = seed * 16807 % 2147483647
  return seed % limit + 1
end

local function hash(list, value_of)
  local h = 17
  for i = 1, #list do h = (h * 31 + value_of(list[i])) % 1000000007 end
  return h
end

local function check(name, list, before, value_of)
  for i = 2, #list do
    if before(list[i], list[i - 1]) then
      error(name .. ": out of order at " .. i)
    end
  end
  io.write(string.format("%s %d %d\n", name, #list, hash(list, value_of)))
end

local function less(a, b) return a < b end
local function itself(v) return v end

local numbers = {}
for i = 1, n do numbers[i] = random(1000000) end
table.sort(numbers)
check("numbers", numbers, less, itself)

local function more(a, b) return a > b end
table.sort(numbers, more)
check("descending", numbers, more, itself)

local records = {}
for i = 1, n do records[i] = { key = random(n / 10), id = i } end
local function by_key(a, b)
  if a.key ~= b.key then return a.key < b.key end
  return a.id < b.id
end
table.sort(records, by_key)
check("records", records, by_key, function(r) return r.key * 7 + r.id end)

local words = {}
for i = 1, n / 2 do
  local letters = {}
  for j = 1, 3 + random(6) do letters[j] = string.char(96 + random(26)) end
  words[i] = table.concat(letters)
end
table.sort(words)
check("words", words, less, function(w) return #w * 256 + string.byte(w) end)

local list = {}
for i = 1, 600 do table.insert(list, random(#list + 1), i) end
local taken = {}
while #list > 0 do taken[#taken + 1] = table.remove(list, random(#list)) end
io.write(string.format("inserted %d %d\n", #taken, hash(taken, itself)))
