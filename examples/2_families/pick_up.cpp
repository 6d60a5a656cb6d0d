// SPDX-License-Identifier: Apache-2.0
// The nightly pick-up: files of a partner are handed over once, whatever process dies in between, and whatever protocol the connection speaks.
//
//     pick_up DIRECTORY-WITH-DEFINITIONS CONNECTION LOCAL-DIRECTORY
//
// A file is taken by moving it to `taken/` there, so of several programs one gets it. It is fetched and compared with what is there, to `staging/`
// here. Then a line in `ledger` says that it is about to be handed over, and a rename does that. After a death `taken/` says what was begun, the
// ledger and `staging/` how far it came.
#include <filesystem>
#include <fstream>
#include <iostream>
#include <qconn/qconn.hpp>
#include <set>
#include <string>

namespace fs = std::filesystem;

namespace {

class PickUp {
public:
    PickUp(qconn::FileTransferClient& partner, fs::path here) : partner_{partner}, here_{std::move(here)} {
        for (const char* folder : {"inbox", "staging"}) fs::create_directories(here_ / folder);
        for (const char* folder : {"taken", "done"}) partner_.make_directory(folder);
        std::ifstream ledger{here_ / "ledger"};
        for (std::string line; std::getline(ledger, line);) begun_.insert(line);
    }

    int run() {
        int count = 0;
        for (const auto& file : partner_.list("taken")) count += hand_over(file);  // begun by an earlier run
        for (const auto& file : partner_.list("", "*.csv")) {
            try {
                partner_.move(file.name, "taken/" + file.name);
            } catch (const qconn::Error& error) {
                if (error.reason() == qconn::Reason::not_found) continue;  // somebody else was faster
                throw;
            }
            count += hand_over(file);
        }
        return count;
    }

private:
    int hand_over(const qconn::FileInfo& file) {
        const std::string there = "taken/" + file.name;
        const fs::path staged = here_ / "staging" / file.name;
        const std::string entry = qconn::sha256_of(partner_, there) + ' ' + file.name;
        const bool announced = begun_.count(entry) != 0;
        if (!announced) {
            qconn::get_file(partner_, there, staged.string(), {.resume = true, .verify = qconn::Verify::content, .durable = true});
            std::ofstream{here_ / "ledger", std::ios::app} << entry << '\n' << std::flush;
            begun_.insert(entry);
        }
        // Announced, and not in staging any more: it was handed over already.
        const bool now = fs::exists(staged);
        if (now) fs::rename(staged, here_ / "inbox" / file.name);
        partner_.move(there, "done/" + file.name, true);
        if (now) std::cout << "handed over " << file.name << '\n';
        return now ? 1 : 0;
    }

    qconn::FileTransferClient& partner_;
    const fs::path here_;
    std::set<std::string> begun_;
};

}  // namespace

int main(int argc, char** argv) {
    if (argc != 4) {
        std::cerr << "usage: pick_up DIRECTORY CONNECTION LOCAL-DIRECTORY\n";
        return 2;
    }
    try {
        qconn::Registry registry;
        registry.load(argv[1]);
        const auto partner = registry.get<qconn::FileTransferClient>(argv[2]).pin();
        std::cout << PickUp{*partner, argv[3]}.run() << " files\n";
        return 0;
    } catch (const std::exception& error) {
        std::cerr << error.what() << '\n';
        return 1;
    }
}
