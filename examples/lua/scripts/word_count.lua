-- SPDX-License-Identifier: MIT
-- word_count.lua [FILE [ROUNDS]]: reads a text file line by line and counts its
-- words, ROUNDS times over. Short strings used as table keys. Prints the most
-- frequent words and a few totals. Without FILE it reads data/words.txt beside
-- this script.

local here = string.match(arg[0], "^(.*)/[^/]*$") or "."
local path = arg[1] or here .. "/data/words.txt"
local rounds = tonumber(arg[2]) or 30

local function count_words(file)
  local counts, words, lines = {}, 0, 0
  for line in io.lines(file) do
    lines = lines + 1
    for word in string.gmatch(line, "%a+") do
      word = string.lower(word)
      counts[word] = (counts[word] or 0) + 1
      words = words + 1
    end
  end
  return counts, words, lines
end

local function ranking(counts)
  local list = {}
  for word, times in pairs(counts) do
    list[#list + 1] = { word = word, times = times }
  end
  table.sort(list, function(a, b)
    if a.times ~= b.times then return a.times > b.times end
    return a.word < b.word
  end)
  return list
end

local counts, words, lines
for _ = 1, rounds do counts, words, lines = count_words(path) end

local list = ranking(counts)
for i = 1, math.min(20, #list) do
  io.write(string.format("%6d %s\n", list[i].times, list[i].word))
end
local longest = ""
for _, entry in ipairs(list) do
  local word = entry.word
  if #word > #longest or (#word == #longest and word < longest) then
    longest = word
  end
end
io.write(string.format("%d lines, %d words, %d distinct, longest %s\n",
                       lines, words, #list, longest))
