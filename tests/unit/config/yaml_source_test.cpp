#include "config/yaml_source.hpp"

#include <gtest/gtest.h>

namespace outpost::config {
namespace {

struct Parsed {
    std::optional<YamlNode> root;
    std::string errors;
};

Parsed parse(const std::string& text) {
    Diagnostics diagnostics;
    Parsed parsed;
    parsed.root = parse_yaml(std::make_shared<SourceFile>("f", 0U), text, diagnostics);
    for (const Diagnostic& d : diagnostics.sorted()) parsed.errors += d.text() + "\n";
    return parsed;
}

TEST(YamlSource, KnowsThePlaceOfKeysAndValues) {
    const Parsed parsed = parse("a: 1\nlist:\n  - x\n  - {k: \"v\"}\n");
    ASSERT_TRUE(parsed.root);
    const YamlEntry& list = parsed.root->entries.at(1);
    EXPECT_EQ(list.place.text(), "f:2:1");
    EXPECT_EQ(list.value.items.at(0).place.text(), "f:3:5");
    const YamlEntry& k = list.value.items.at(1).entries.at(0);
    EXPECT_EQ(k.place.text(), "f:4:6");
    EXPECT_EQ(k.value.place.text(), "f:4:9");
    EXPECT_TRUE(k.value.quoted);
    EXPECT_FALSE(list.value.items.at(0).quoted);
}

TEST(YamlSource, ExpandsAliasesAndMergeKeys) {
    const Parsed parsed = parse(
        "base: &base {x: 1, y: 2}\n"
        "one: {<<: *base, y: 3}\n"
        "two: *base\n"
        "three: {<<: [*base, {z: 4}]}\n");
    ASSERT_TRUE(parsed.root) << parsed.errors;
    const YamlNode& one = parsed.root->find("one")->value;
    EXPECT_EQ(one.entries.size(), 2U);
    EXPECT_EQ(one.find("x")->value.text, "1");
    EXPECT_EQ(one.find("y")->value.text, "3");
    EXPECT_EQ(parsed.root->find("two")->value.find("y")->value.text, "2");
    EXPECT_EQ(parsed.root->find("three")->value.find("z")->value.text, "4");
}

TEST(YamlSource, ReportsFaultsWithTheirPlace) {
    struct Case {
        const char* name;
        std::string text;
        std::string expected;
    };
    const Case cases[] = {
        {"empty", "", "f:1:1: is empty; see outpost.yaml(5) for what to write\n"},
        {"comment only", "# nothing\n", "f:1:1: is empty; see outpost.yaml(5) for what to write\n"},
        {"scalar", "text", "f:1:1: must begin with a key, such as `listen:`\n"},
        {"list", "- a\n", "f:1:1: must begin with a key, such as `listen:`\n"},
        {"tab", "a:\n\tb: 1\n", "f:2:1: a tab in the indentation; use spaces\n"},
        {"second tab", "a:\n  b: 1\n  \tc: 2\n", "f:3:3: a tab in the indentation; use spaces\n"},
        {"twice", "a: 1\nb: 2\na: 3\n", "f:3:1: a: is set twice; the first is at f:1:1\n"},
        {"twice deep", "a: {b: {c: 1, c: 2}}\n",
         "f:1:15: a.b.c: is set twice; the first is at f:1:9\n"},
        {"twice in a list", "a:\n  - {b: 1, b: 2}\n",
         "f:2:12: a.b: is set twice; the first is at f:2:6\n"},
        {"unclosed quote", "a: \"b\n",
         "f:1:6: not YAML: ends within quotes; one is missing above\n"},
        {"unclosed quote, no line end", "a: 'b",
         "f:1:6: not YAML: ends within quotes; one is missing above\n"},
        {"unclosed list", "a: [b, c\n", "f:1:9: not YAML: ']' or ',' expected\n"},
        {"second document", "a: 1\n---\nb: 2\n",
         "f:2:1: a second document begins here; a configuration is one\n"},
        {"unknown alias", "a: *nowhere\n",
         "f:1:4: an alias of an anchor that is not defined; quote a value that begins with *\n"},
        {"alias within itself", "a: &a {b: *a}\n",
         "f:1:11: a.b: an alias stands within its own anchor\n"},
        {"tag", "a: !secret b\n",
         "f:1:4: a: YAML tags are not used here; quote a value that begins with !\n"},
        {"complex key", "{[a, b]: c}\n",
         "f:1:2: a key must be a single value; or the { at 1:1 is not closed\n"},
        {"complex key in a block", "? [a, b]\n: c\n", "f:1:3: a key must be a single value\n"},
        {"unclosed mapping", "a: {b: 1,\n{c: d}\n",
         "f:2:1: a: a key must be a single value; or the { at 1:4 is not closed\n"},
        {"merge of a scalar", "a: {<<: b}\n",
         "f:1:9: a.<<: must be an alias of a mapping, or a list of them\n"},
        {"two colons", "a: b: c\n",
         "f:1:5: not YAML: a second ':' in the line, or a wrong indentation; quote a value with "
         "': ' in it\n"},
        {"not UTF-8", "a: \xFF\n", "f:1:1: is not UTF-8 text\n"},
    };
    for (const Case& c : cases) EXPECT_EQ(parse(c.text).errors, c.expected) << c.name;
}

TEST(YamlSource, RefusesAliasesThatMultiply) {
    std::string text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
    for (int i = 1; i < 9; ++i) {
        const std::string before = "*a" + std::to_string(i - 1);
        text += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [";
        for (int k = 0; k < 10; ++k) text += before + (k < 9 ? ", " : "]\n");
    }
    const Parsed parsed = parse(text);
    EXPECT_FALSE(parsed.root);
    EXPECT_NE(parsed.errors.find("its aliases multiply"), std::string::npos);
}

TEST(YamlSource, MergesFilesDeep) {
    Diagnostics diagnostics;
    const auto main = std::make_shared<SourceFile>("main", 0U);
    const auto more = std::make_shared<SourceFile>("more", 1U);
    auto target = parse_yaml(main, "a: {x: 1}\nlist: [1]\n", diagnostics);
    auto addition = parse_yaml(more, "a: {y: 2, x: 3}\nb: 4\nlist: [2]\n", diagnostics);
    merge_yaml(*target, *addition, "", diagnostics);
    EXPECT_EQ(target->find("a")->value.find("y")->value.text, "2");
    EXPECT_EQ(target->find("b")->value.text, "4");
    const auto sorted = diagnostics.sorted();
    ASSERT_EQ(sorted.size(), 2U);
    EXPECT_EQ(sorted[0].text(), "more:1:11: a.x: is set twice; the first is at main:1:5");
    EXPECT_EQ(sorted[1].text(), "more:3:1: list: is set twice; the first is at main:2:1");
}

}  // namespace
}  // namespace outpost::config
