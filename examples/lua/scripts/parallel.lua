-- SPDX-License-Identifier: MIT
-- Two isolated states on tasks of their own compute and allocate; in a plain
-- Lua they run one after the other. arg[1]: rounds per state. Prints one line
-- per state.

local function work(id, rounds)
  local sum = 0
  for round = 1, rounds do
    local list = {}
    for i = 1, 100 do
      list[i] = { key = i * id, text = "item " .. i }
    end
    for i = 1, #list do
      local item = list[i]
      sum = (sum + item.key * #item.text + round) % 1000003
    end
    local x = id / 7
    for i = 1, 300 do x = (x * 1.0001 + i) % 97.5 end
    sum = (sum + math.floor(x * 1000)) % 1000003
  end
  return sum
end

local rounds = tonumber(arg and arg[1]) or 1500

if task then
  local first = task.spawn(work, 1, rounds)
  local second = task.spawn(work, 2, rounds)
  print("state 1", first:join())
  print("state 2", second:join())
else
  print("state 1", work(1, rounds))
  print("state 2", work(2, rounds))
end
