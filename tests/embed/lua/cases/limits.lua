-- SPDX-License-Identifier: MIT
-- Errors of the code generator: what is too many, where, near which token.
local function names(n, separator, name)
  local t = {}
  for i = 1, n do t[i] = (name or "a") .. i end
  return table.concat(t, separator or ",")
end
local function try(source)
  local f, e = load(source, "=c")
  print(f and "ok" or e)
end

-- Local variables.
try("local " .. names(200))
try("local " .. names(201))
try("local " .. names(201) .. " = 1")
try("local " .. names(201) .. "\nlocal x")
try("\n\nlocal function f()\nlocal " .. names(201) .. "\nend")
try("function f(" .. names(200) .. ") end")
try("function f(" .. names(201) .. ") end")
try("function o:f(" .. names(199) .. ") end")
try("function o:f(" .. names(200) .. ")\nend")
try("local " .. names(199) .. "\nlocal function f() end")
try("local " .. names(200) .. "\nlocal function f() end")
for n = 195, 198 do
  try("local " .. names(n) .. "\nfor i = 1, 2 do end")
  try("local " .. names(n) .. "\nfor i in pairs(x) do end")
end
try("local " .. names(190) .. "\nfor " .. names(10) .. " in pairs(x) do end")
try("local " .. names(196) .. "\nfor i = 1, 2 do local x end "
  .. "for i = 1, 2 do local x\n end")
try("local " .. names(195) .. "\nfor i = 1, 2 do local x end "
  .. "for i = 1, 2 do local x\n end")
try("do local " .. names(150) .. " end do local " .. names(150) .. " end")
try("do local " .. names(150) .. " do local " .. names(150) .. " end end")
try("if x then local " .. names(150) .. " else local " .. names(150)
  .. " end local " .. names(199))
try("repeat local " .. names(150) .. " until a1 local " .. names(200))
try("repeat local " .. names(150) .. " until a1 local " .. names(201)
  .. " <const> = 1")
try("local " .. names(100) .. " local function f() local " .. names(200)
  .. " end local " .. names(100))

-- Registers.
for _, n in ipairs { 252, 253, 254, 255, 300 } do
  try("f(" .. names(n) .. ")")
  try("return f(\n" .. names(n, ",\n") .. "\n)\n")
  try("return " .. names(n))
end
try("local " .. names(200) .. "\nreturn f(" .. names(100) .. ")")
try("local " .. names(200) .. "\nx = " .. ("{"):rep(60) .. ("}"):rep(60))
try("local function f()\n\n\n return f(" .. names(300) .. ") end")
try("local " .. names(200) .. " return 1\n" .. (" .. x"):rep(60))
try("return {" .. names(300) .. "}")

-- Upvalues.
local function upvalues(n)
  return "local function f() local " .. names(150, ",", "u")
    .. "\nlocal function g() local " .. names(150, ",", "v")
    .. "\nlocal function h()\nlocal x\nx = " .. names(150, "\nx = ", "u")
    .. "\nx = " .. names(n, "\nx = ", "v") .. "\nend end end"
end
try(upvalues(105))
try(upvalues(106))

-- Constants.
try("local x <const> = 1\n x = 2")
try("local x <const> = 1\n\nlocal function f()\n x\n=\n2 end")
try("local x <const> = 1\n function x()\n end")
try("local x <const> = 1; local y y, x = 1, 2")

-- Jumps.
try("break")
try("for i = 1, 2 do end break")
try("for i = 1, 2 do\n" .. ("x = y "):rep(70000) .. "\nend\n\n")
try("for k in pairs(t) do\n" .. ("x = y "):rep(70000) .. "\nend\n\n")
