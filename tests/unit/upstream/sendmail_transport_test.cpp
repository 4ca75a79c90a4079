#include "upstream/sendmail_transport.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <thread>

#include "upstream/smtp_fixture.hpp"

namespace outpost::upstream {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using Words = std::vector<std::string>;

/// Whether the process runs. One that has ended and that nobody has asked after does not.
bool runs(pid_t pid) {
    std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
    const std::string stat{std::istreambuf_iterator<char>(file), {}};
    const auto name_end = stat.rfind(") ");
    return name_end != std::string::npos && stat.at(name_end + 2) != 'Z';
}

bool eventually(const std::function<bool()>& condition) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (!condition()) {
        if (std::chrono::steady_clock::now() > end) return false;
        std::this_thread::yield();
    }
    return true;
}

/// A command that is a shell script; `$D` is the directory of the test.
class SendmailTest : public ::testing::Test {
  protected:
    SendmailTest() {
        std::string name = (fs::temp_directory_path() / "outpost-XXXXXX").string();
        directory_ = mkdtemp(name.data());
        envelope_.reverse_path = "a@test";
        recipients({"x@test"});
    }
    ~SendmailTest() override { fs::remove_all(directory_); }

    void recipients(const Words& addresses) {
        envelope_.recipients.clear();
        for (const auto& address : addresses)
            envelope_.recipients.push_back({.address = address, .notify = {}, .orcpt = {}});
    }
    [[nodiscard]] std::string command() const { return (directory_ / "sendmail").string(); }
    void script(const std::string& text, const std::string& interpreter = "/bin/sh") {
        std::ofstream(command()) << "#!" << interpreter << "\nD='" << directory_.string() << "'\n"
                                 << text << "\n";
        fs::permissions(command(), fs::perms::owner_all);
    }
    /// Records the arguments of each run beside the others and standard input, then runs `text`.
    void recording_script(const std::string& text = "") {
        script(
            "n=$(ls \"$D\" | grep -c '^args')\nprintf '%s\\0' \"$@\" > \"$D/args$n\"\n"
            "cat > \"$D/stdin\"\n" +
            text);
    }
    [[nodiscard]] std::string contents(const std::string& name) const {
        std::ifstream file(directory_ / name, std::ios::binary);
        return {std::istreambuf_iterator<char>(file), {}};
    }
    [[nodiscard]] Words arguments(int run = 0) const {
        std::ifstream file(directory_ / ("args" + std::to_string(run)), std::ios::binary);
        Words words;
        for (std::string word; std::getline(file, word, '\0');) words.push_back(word);
        return words;
    }
    [[nodiscard]] std::size_t count_runs() const {
        std::size_t count = 0;
        while (fs::exists(directory_ / ("args" + std::to_string(count)))) ++count;
        return count;
    }
    /// The number that a script has written to a file, once it has.
    pid_t written_pid(const std::string& name) {
        EXPECT_TRUE(eventually([&] { return contents(name).ends_with('\n'); })) << name;
        return std::stoi(contents(name));
    }

    SendmailTransport transport() {
        return SendmailTransport({.context = loop_.context,
                                  .pool = pool_,
                                  .clock = clock_,
                                  .command = command(),
                                  .limits = limits_,
                                  .argument_octets = argument_octets_});
    }
    SendReport send(spool::BodySource& body) {
        std::vector<std::uint32_t> indices(envelope_.recipients.size());
        std::iota(indices.begin(), indices.end(), 0U);
        auto through = transport();
        return loop_.run(through.send({{1}, envelope_, indices, body, one_transaction_}));
    }
    SendReport send(std::string text = "Subject: x\r\n\r\nhello\r\n") {
        test::FakeBody body(std::move(text), 7);
        return send(body);
    }

    test::Loop loop_;
    net::OffloadPool pool_{1, 10};
    base::SystemClock clock_;
    net::ChildProcess::Limits limits_{
        .time = std::chrono::minutes(10), .grace = std::chrono::minutes(10), .output = 4096};
    std::size_t argument_octets_ = 64UL * 1024;
    bool one_transaction_ = false;
    fs::path directory_;
    smtp::Envelope envelope_;
};

TEST_F(SendmailTest, GivesTheArgumentsAndTheMessageWithLineFeeds) {
    recording_script("echo queued");
    recipients({"x@test", "y z@test"});
    const auto report = send("Subject: caf\xC3\xA9\r\n\r\n.\r\n..dot\r\n");
    EXPECT_THAT(arguments(), ElementsAre("-i", "-f", "a@test", "--", "x@test", "y z@test"));
    EXPECT_EQ(contents("stdin"), "Subject: caf\xC3\xA9\n\n.\n..dot\n");
    ASSERT_EQ(report.outcomes.size(), 2U);
    for (const auto& outcome : report.outcomes) {
        EXPECT_EQ(outcome.verdict, Verdict::delivered);
        EXPECT_EQ(outcome.reply.text(), "250 2.0.0 queued");
        EXPECT_EQ(outcome.remote, command());
    }
    EXPECT_FALSE(report.dsn_relayed);
    EXPECT_GT(report.stages.transfer.count(), 0);
}

TEST_F(SendmailTest, RunsOnceWhereTransactionsAreCounted) {
    recording_script("exit 67");
    recipients({"x@test", "y@test", "z@test"});
    one_transaction_ = true;
    const auto report = send();
    EXPECT_EQ(count_runs(), 1U);
    EXPECT_THAT(arguments(), ElementsAre("-i", "-f", "a@test", "--", "x@test"));
    EXPECT_EQ(report.outcomes.at(0).verdict, Verdict::failed);
    EXPECT_TRUE(report.outcomes.at(1).untried);
    EXPECT_TRUE(report.outcomes.at(2).untried);
}

TEST_F(SendmailTest, AddressesCannotBecomeOptionsNorShellCommands) {
    recording_script();
    envelope_.reverse_path = "-oQ/tmp@test";
    const Words hostile{"-t@test",
                        "--@test",
                        "-C/etc/x@test",
                        "`touch$IFS$D/owned`@test",
                        "\"; touch $D/owned; \"@test",
                        "*@test"};
    recipients(hostile);
    EXPECT_EQ(send().outcomes.at(0).verdict, Verdict::delivered);
    Words wanted{"-i", "-f", "-oQ/tmp@test", "--"};
    wanted.insert(wanted.end(), hostile.begin(), hostile.end());
    EXPECT_EQ(arguments(), wanted);
    EXPECT_FALSE(fs::exists(directory_ / "owned"));
}

TEST_F(SendmailTest, InternationalAddressesAndTheNullReversePathPass) {
    recording_script();
    envelope_.reverse_path.clear();
    envelope_.smtputf8 = true;
    recipients(
        {"stra\xC3\x9F"
         "e@test"});
    EXPECT_EQ(send("Subject: \xC3\x9F\r\n\r\n").outcomes.at(0).verdict, Verdict::delivered);
    EXPECT_THAT(arguments(), ElementsAre("-i", "-f", "<>", "--",
                                         "stra\xC3\x9F"
                                         "e@test"));
    EXPECT_EQ(contents("stdin"), "Subject: \xC3\x9F\n\n");
}

TEST_F(SendmailTest, TheProgramInheritsNothingOfOurs) {
    script(
        "env > \"$D/env\"\nls /proc/self/fd > \"$D/fds\"\npwd > \"$D/cwd\"\n"
        "sed -n 's/^SigIgn:.*\\(.\\{8\\}\\)$/\\1/p' /proc/self/status > \"$D/ignored\"\n"
        "cut -d' ' -f1,5,6 /proc/$$/stat > \"$D/group\"\n");
    ::setenv("OUTPOST_TEST_SECRET", "geheim", 1);
    const int ours = ::open("/dev/null", O_RDONLY);  // without O_CLOEXEC
    const auto before = ::signal(SIGPIPE, SIG_IGN);
    EXPECT_EQ(send().outcomes.at(0).verdict, Verdict::delivered);
    ::signal(SIGPIPE, before);
    ::close(ours);
    ::unsetenv("OUTPOST_TEST_SECRET");
    EXPECT_THAT(contents("env"), HasSubstr("PATH=/usr/sbin:/usr/bin:/sbin:/bin\n"));
    EXPECT_THAT(contents("env"), Not(HasSubstr("geheim")));
    EXPECT_EQ(contents("cwd"), "/\n");
    EXPECT_EQ(contents("fds"), "0\n1\n2\n3\n");  // 3 is the directory that ls reads
    // Signals 1 to 32. The C library keeps 32 and 33 for itself and ignores them in children.
    EXPECT_EQ(std::stoul(contents("ignored"), nullptr, 16) & 0x7FFFFFFFU, 0U);
    std::istringstream group(contents("group"));
    int pid = 0;
    int process_group = 0;
    int session = 0;
    group >> pid >> process_group >> session;
    EXPECT_GT(pid, 0);
    EXPECT_EQ(process_group, pid);
    EXPECT_EQ(session, pid);
}

TEST_F(SendmailTest, TheExitCodeDecides) {
    struct Case {
        const char* end;
        Verdict verdict;
    };
    for (const Case& c :
         {Case{"exit 0", Verdict::delivered}, Case{"exit 67", Verdict::failed},
          Case{"exit 75", Verdict::deferred}, Case{"exit 78", Verdict::misconfigured},
          Case{"exit 1", Verdict::deferred}, Case{"kill -9 $$", Verdict::deferred}}) {
        script(std::string("echo why >&2\n") + c.end);
        const auto outcome = send().outcomes.at(0);
        EXPECT_EQ(outcome.verdict, c.verdict) << c.end;
        EXPECT_THAT(outcome.reply.text(), HasSubstr("why")) << c.end;
    }
}

TEST_F(SendmailTest, WhenTheTimeIsOverTheWholeGroupEnds) {
    script("sleep 100000 &\necho $! > \"$D/pid\"\nwait\nexit 0");
    limits_.time = std::chrono::milliseconds(100);
    const auto outcome = send().outcomes.at(0);
    EXPECT_EQ(outcome.verdict, Verdict::deferred);
    EXPECT_EQ(outcome.scope, Scope::upstream);
    EXPECT_THAT(outcome.reply.text(), HasSubstr("took too long and was stopped"));
    if (!fs::exists(directory_ / "pid")) return;  // it was stopped before it had begun
    const pid_t pid = written_pid("pid");
    EXPECT_TRUE(eventually([&] { return !runs(pid); }));
}

TEST_F(SendmailTest, WhoIgnoresSigtermIsKilled) {
    script("trap '' TERM\necho deaf\nwhile :; do sleep 1; done");
    limits_.time = std::chrono::milliseconds(300);
    limits_.grace = std::chrono::milliseconds(50);
    EXPECT_THAT(send().outcomes.at(0).reply.text(), HasSubstr("took too long"));
}

TEST_F(SendmailTest, AMessageThatIsGivenUpTakesTheProgramAlong) {
    script("echo $$ > \"$D/pid\"\nexec sleep 100000");
    pid_t pid = 0;
    test::FakeBody body("Subject: x\r\n\r\n");
    const std::vector<std::uint32_t> indices{0};
    {
        boost::asio::io_context context;
        SendmailTransport through({.context = context,
                                   .pool = pool_,
                                   .clock = clock_,
                                   .command = command(),
                                   .limits = limits_});
        const auto drop =
            [](boost::asio::awaitable<SendReport> sending) -> boost::asio::awaitable<void> {
            (void)co_await std::move(sending);
        };
        net::spawn(context.get_executor(), drop(through.send({{1}, envelope_, indices, body})),
                   "test");
        context.poll();
        pid = written_pid("pid");
    }
    EXPECT_TRUE(eventually([&] { return !runs(pid); }));
    ::waitpid(pid, nullptr, 0);
}

TEST_F(SendmailTest, WhatGoesOnInTheBackgroundIsNotWaitedFor) {
    script("sleep 100000 &\necho $! > \"$D/pid\"\necho accepted");
    const auto outcome = send().outcomes.at(0);
    EXPECT_EQ(outcome.reply.text(), "250 2.0.0 accepted");
    const pid_t pid = written_pid("pid");
    EXPECT_TRUE(runs(pid));
    ::kill(pid, SIGKILL);
}

TEST_F(SendmailTest, AFloodOfOutputIsReadAndCut) {
    script("head -c 5000000 /dev/zero | tr '\\0' x\necho done > \"$D/done\"\nexit 65");
    const auto outcome = send().outcomes.at(0);
    EXPECT_EQ(outcome.verdict, Verdict::failed);
    EXPECT_THAT(outcome.reply.text(), HasSubstr("xxxx..."));
    EXPECT_LT(outcome.reply.text().size(), 1200U);
    EXPECT_EQ(contents("done"), "done\n");
}

TEST_F(SendmailTest, WhoClosesItsOutputIsWaitedFor) {
    recording_script("exec >&- 2>&-\ncat \"$D/stdin\" > \"$D/copy\"\nexit 67");
    EXPECT_EQ(send().outcomes.at(0).verdict, Verdict::failed);
    EXPECT_FALSE(contents("copy").empty());
}

TEST_F(SendmailTest, WhoDoesNotReadItAllIsJudgedByItsExitCode) {
    test::FakeBody large("\r\n" + std::string(20UL << 20, 'x'), 65536);
    script("exec <&-\nexit 0");
    EXPECT_EQ(send(large).outcomes.at(0).verdict, Verdict::delivered);
    script("head -c 10 > /dev/null\nexit 75");
    EXPECT_EQ(send(large).outcomes.at(0).verdict, Verdict::deferred);
}

TEST_F(SendmailTest, ALargeMessageArrivesWhole) {
    recording_script();
    std::string crlf = "Subject: large\r\n\r\n";
    std::string lf = "Subject: large\n\n";
    for (int line = 0; crlf.size() < 20UL << 20; ++line) {
        crlf += std::to_string(line) + std::string(70, 'x') + "\r\n";
        lf += std::to_string(line) + std::string(70, 'x') + "\n";
    }
    test::FakeBody body(crlf, 65537);
    EXPECT_EQ(send(body).outcomes.at(0).verdict, Verdict::delivered);
    EXPECT_TRUE(contents("stdin") == lf);
}

TEST_F(SendmailTest, ManyRecipientsGoInSeveralRuns) {
    recording_script("case \" $* \" in *' r4@test '*) exit 75;; esac");
    recipients({"r0@test", "r1@test", "r2@test", "r3@test", "r4@test", "r5@test", "r6@test"});
    argument_octets_ = 48 + 2 * 16;
    const auto report = send();
    ASSERT_EQ(count_runs(), 3U);
    EXPECT_THAT(arguments(1), ElementsAre("-i", "-f", "a@test", "--", "r2@test", "r3@test"));
    for (std::size_t i = 0; i < 7; ++i)
        EXPECT_EQ(report.outcomes.at(i).verdict, i < 4 ? Verdict::delivered : Verdict::deferred)
            << i;
}

TEST_F(SendmailTest, NobodyFailsForAnothersSake) {
    recording_script("case \" $* \" in *' bad@test '*) exit 67;; esac");
    recipients({"x@test", "bad@test", "y@test", "z@test"});
    argument_octets_ = 48 + 3 * 18;
    const auto report = send();
    // Three together, each of them alone, then the fourth.
    EXPECT_EQ(count_runs(), 5U);
    EXPECT_THAT(arguments(2), ElementsAre("-i", "-f", "a@test", "--", "bad@test"));
    using enum Verdict;
    const Verdict wanted[]{delivered, failed, delivered, delivered};
    for (std::size_t i = 0; i < 4; ++i) EXPECT_EQ(report.outcomes.at(i).verdict, wanted[i]) << i;
    EXPECT_EQ(report.outcomes.at(1).reply.status.text(), "5.1.1");
}

TEST_F(SendmailTest, ACommandThatCannotBeRunIsMisconfigured) {
    const auto expect = [&](const char* reason) {
        const auto outcome = send().outcomes.at(0);
        EXPECT_EQ(outcome.verdict, Verdict::misconfigured) << reason;
        EXPECT_EQ(outcome.reply.text(), "cannot run " + command() + ": " + reason);
    };
    expect("No such file or directory");
    auto through = transport();
    EXPECT_EQ(loop_.run(through.probe()).error(),
              "cannot run \"" + command() + "\": No such file or directory");
    script("exit 0");
    EXPECT_TRUE(loop_.run(through.probe()).has_value());
    fs::permissions(command(), fs::perms::owner_read);
    expect("Permission denied");
    EXPECT_FALSE(loop_.run(through.probe()).has_value());
    script("exit 0", "/none/interpreter");
    expect("No such file or directory");
    std::ofstream(command()) << "no program\n";
    expect("Exec format error");
}

TEST_F(SendmailTest, NothingRunsForAMessageThatCannotBeReadWhole) {
    recording_script();
    const std::string large(100'000, 'x');
    test::FakeBody damaged(large, 1000);
    damaged.fail_at(50'000);
    const auto outcome = send(damaged).outcomes.at(0);
    EXPECT_EQ(outcome.verdict, Verdict::deferred);
    EXPECT_EQ(outcome.scope, Scope::message);
    EXPECT_EQ(outcome.reply.text(), "segment 3: checksum mismatch");
    test::FakeBody cut(large, 1000);
    cut.claim(100'001);
    EXPECT_THAT(send(cut).outcomes.at(0).reply.text(), HasSubstr("instead of the 100001"));
    EXPECT_EQ(count_runs(), 0U);
}

TEST_F(SendmailTest, BinaryMimeIsReEncoded) {
    recording_script();
    envelope_.body = smtp::BodyType::binary_mime;
    const std::string message =
        "MIME-Version: 1.0\r\nContent-Type: application/octet-stream\r\n"
        "Content-Transfer-Encoding: binary\r\n\r\n\x01\r\n\n\xFF";
    EXPECT_EQ(send(message).outcomes.at(0).verdict, Verdict::delivered);
    EXPECT_THAT(contents("stdin"), HasSubstr("\nContent-Transfer-Encoding: base64\n"));
    EXPECT_THAT(contents("stdin"), HasSubstr("\nAQ0KCv8=\n"));
}

TEST_F(SendmailTest, WhatMustNotBeLateDoesNotGoToAProgramThatCannotBeTold) {
    recording_script();
    envelope_.deliver_by = smtp::DeliverBy{.by = clock_.wall() + std::chrono::hours(1),
                                           .mode = smtp::DeliverBy::Mode::return_mail};
    const auto outcome = send().outcomes.at(0);
    EXPECT_EQ(outcome.verdict, Verdict::failed);
    EXPECT_EQ(outcome.reply.status.text(), "5.4.7");
    EXPECT_EQ(count_runs(), 0U);
}

}  // namespace
}  // namespace outpost::upstream
