-- SPDX-License-Identifier: MIT
-- Message handlers of xpcall that fail, overflow, or run protected code.
local function show(...) print(select("#", ...), ...) end
show(xpcall(error, function(m) error("H:" .. tostring(m)) end, "x"))
show(xpcall(error, function(m) error("H:" .. tostring(m), 0) end, "x"))
show(xpcall(error, function() local x = nil; x() end, "x"))
show(xpcall(error, error, "x"))
show(xpcall(error, function() error() end, "x"))

-- A handler handles its own errors.
local n = 0
show(xpcall(error, function(m)
  n = n + 1
  if n < 5 then error("again " .. m) end
  return m, "second"
end, "x"))
print(n)
n = 0
show(xpcall(error, function() n = n + 1 error(n, 0) end, "x"))
print(n > 100)

local function deep() return 1 + deep() end
show(xpcall(deep, function(m) return m:match("stack overflow") end))
show(xpcall(deep, function() return deep() end))
show(xpcall(deep, function(m)
  return (xpcall(error, function(x) return "inner " .. x end, m))
end))
local function deep_c(s) return (s:gsub(".", deep_c)) end
show(xpcall(deep_c, function(m) return m end, "x"))
show(xpcall(deep_c, function() return deep_c("x") end, "x"))
show(xpcall(error, function() return deep_c("x") end, "x"))

show(xpcall(error, function() return pcall(error, "inner") end, "x"))
show(xpcall(error, function()
  return select(2, xpcall(error, function(m) return "in:" .. m end, "z"))
end, "x"))
show(xpcall(error, function()
  return select(2, xpcall(error, function() error("in") end, "z"))
end, "x"))
n = 0
show(xpcall(error, function(m)
  n = n + 1
  if n == 3 then return "ok " .. m end
  coroutine.wrap(function() error("co" .. n, 0) end)()
end, "x"))

local function in_coroutine(...) return coroutine.wrap(xpcall)(...) end
show(in_coroutine(error, function() error("H") end, "x"))
show(in_coroutine(deep, function(m) return m:match("stack overflow") end))
show(in_coroutine(deep, function() return deep() end))
show(in_coroutine(error, function(m) return "ok " .. m end, "x"))

-- Afterwards everything works as before.
show(xpcall(error, function(m) return "plain " .. m end, "x"))
show(pcall(error, "x"))
show(pcall(xpcall, error, 5, "x"))
show(pcall(xpcall, error, setmetatable({}, { __call = print }), "x"))
show(pcall(xpcall, error))
