using Shop.Payments.ScreeningPayments;

namespace Shop.Payments.Tests.ScreeningPayments;

/// <summary>What screening makes of fraud, and of people who only look like it.</summary>
public sealed class ScreenerTests
{
    private static DateTimeOffset Now => ScreeningStories.Now;

    [Fact]
    public void Cards_that_are_tried_out_one_after_another_are_stopped_by_the_fifth_and_all_later_ones()
    {
        var story = new ScreeningStories();
        var verdicts = Enumerable.Range(0, 12).Select(i =>
            story.Pay("tester", 1.5m, Now.AddMinutes(i), card: $"stolen-{i}", accountDays: 0, declined: i % 2 == 0).Verdict).ToList();
        Assert.Contains(verdicts.Take(5), verdict => verdict != Verdict.Authorize);
        Assert.All(verdicts.SkipWhile(verdict => verdict == Verdict.Authorize), verdict => Assert.NotEqual(Verdict.Authorize, verdict));
    }

    [Fact]
    public void Cards_that_are_tried_out_over_days_from_changing_accounts_of_one_device_are_stopped()
    {
        var story = new ScreeningStories();
        var verdicts = Enumerable.Range(0, 12).Select(i =>
            story.Pay($"tester-{i / 3}", 2, Now.AddHours(7 * i), card: $"stolen-{i}", device: "one", address: $"drop-{i / 3}", accountDays: 0, declined: i % 3 != 0).Verdict).ToList();
        Assert.Contains(verdicts.Take(5), verdict => verdict != Verdict.Authorize);
        Assert.All(verdicts.SkipWhile(verdict => verdict == Verdict.Authorize), verdict => Assert.NotEqual(Verdict.Authorize, verdict));
    }

    [Fact]
    public void The_second_large_payment_of_a_newcomer_waits_and_the_first_does_not()
    {
        var story = new ScreeningStories();
        Assert.Equal(Verdict.Authorize, story.Pay("newcomer", 250, accountDays: 0).Verdict);
        var second = story.Pay("newcomer", 280, Now.AddMinutes(20), accountDays: 0.01);
        Assert.NotEqual(Verdict.Authorize, second.Verdict);
        var fired = Assert.Single(second.Rules);
        Assert.Equal("NewcomerSpending", fired.Rule);
        Assert.Equal(2, fired.Features["payments"]);
    }

    [Fact]
    public void Of_a_new_shopper_who_orders_on_and_on_the_twentieth_payment_waits_and_those_after_it_are_declined()
    {
        var story = new ScreeningStories();
        var verdicts = Enumerable.Range(0, 23).Select(i => story.Pay("hasty", 25, Now.AddSeconds(10 * i), accountDays: i == 0 ? 0 : 0.01).Verdict).ToList();
        Assert.All(verdicts.Take(19), verdict => Assert.Equal(Verdict.Authorize, verdict));
        Assert.Equal(Verdict.Hold, verdicts[19]);
        Assert.All(verdicts.Skip(20), verdict => Assert.Equal(Verdict.Decline, verdict));

        // who is known for longer is only quick
        Assert.All(Enumerable.Range(0, 23), i => Assert.Equal(Verdict.Authorize, story.Pay("at home", 25, Now.AddSeconds(10 * i), accountDays: 5).Verdict));
    }

    [Fact]
    public void A_stranger_with_a_card_of_somebody_else_is_stopped_and_a_family_is_not()
    {
        var story = new ScreeningStories();
        story.Pay("mother", 30, Now.AddDays(-20), address: "home");
        Assert.Equal(Verdict.Authorize, story.Pay("daughter", 30, card: "card of mother", address: "home", accountDays: 0).Verdict);
        Assert.NotEqual(Verdict.Authorize, story.Pay("thief", 200, card: "card of mother", accountDays: 0).Verdict);
    }

    [Fact]
    public void A_known_shopper_on_a_strange_device_with_a_strange_address_and_amount_is_stopped_and_a_traveller_is_not()
    {
        var story = new ScreeningStories();
        foreach (var who in (string[])["victim", "traveller"])
        {
            for (var day = -40; day < 0; day += 10)
                story.Pay(who, 30, Now.AddDays(day));
        }
        Assert.Equal(Verdict.Authorize, story.Pay("traveller", 45, address: "a hotel", country: "TH").Verdict);
        var taken = story.Pay("victim", 190, device: "strange", address: "drop");
        Assert.NotEqual(Verdict.Authorize, taken.Verdict);
        Assert.Contains(taken.Rules, rule => rule.Rule == "AccountTakeover");
        // the shopper goes on shopping from where he always did
        Assert.Equal(Verdict.Authorize, story.Pay("victim", 30, Now.AddHours(1)).Verdict);
    }

    [Fact]
    public void Fresh_accounts_of_one_device_are_stopped_and_students_of_a_dormitory_are_not()
    {
        var story = new ScreeningStories();
        var accounts = Enumerable.Range(0, 8).Select(i => story.Pay($"account-{i}", 25, Now.AddMinutes(i), device: "farm", accountDays: 0).Verdict).ToList();
        Assert.Equal(Verdict.Authorize, accounts[0]);
        Assert.All(accounts.Skip(2), verdict => Assert.NotEqual(Verdict.Authorize, verdict));

        for (var i = 0; i < 20; i++)
            Assert.Equal(Verdict.Authorize, story.Pay($"student-{i}", 25, Now.AddDays(-10).AddHours(i), address: "dormitory").Verdict);
        for (var i = 0; i < 6; i++)
            Assert.Equal(Verdict.Authorize, story.Pay($"new-student-{i}", 25, Now.AddMinutes(40 * i), address: "dormitory", accountDays: 0).Verdict);
    }

    [Fact]
    public void A_newcomer_at_an_address_that_was_attacked_waits_and_is_not_refused()
    {
        var story = new ScreeningStories();
        for (var i = 0; i < 8; i++)
            story.Pay($"account-{i}", 25, Now.AddMinutes(i), device: "farm", address: "drop", accountDays: 0);
        var newcomer = story.Pay("newcomer", 25, Now.AddMinutes(20), address: "drop", accountDays: 0);
        Assert.Equal("FollowsStopped", Assert.Single(newcomer.Rules).Rule);
        Assert.Equal(Verdict.Hold, newcomer.Verdict);
    }

    [Fact]
    public void Who_is_refused_twice_by_the_bank_buys_gifts_or_shops_for_an_office_is_let_pass()
    {
        var story = new ScreeningStories();
        Assert.Equal(Verdict.Authorize, story.Pay("short of money", 60, declined: true).Verdict);
        Assert.Equal(Verdict.Authorize, story.Pay("short of money", 60, Now.AddMinutes(2), declined: true).Verdict);
        Assert.Equal(Verdict.Authorize, story.Pay("short of money", 60, Now.AddMinutes(5), card: "another").Verdict);
        for (var i = 0; i < 10; i++)
        {
            Assert.Equal(Verdict.Authorize, story.Pay("giver", 40, Now.AddMinutes(6 * i), address: $"friend-{i}").Verdict);
            Assert.Equal(Verdict.Authorize, story.Pay($"clerk-{i % 3}", 50, Now.AddMinutes(15 * i), card: "of the company", address: "office").Verdict);
        }
    }

    [Fact]
    public void What_follows_a_stopped_payment_with_its_card_from_another_account_is_stopped()
    {
        var story = new ScreeningStories();
        story.Pay("thief", 250, card: "stolen", accountDays: 0);
        Assert.NotEqual(Verdict.Authorize, story.Pay("thief", 280, Now.AddMinutes(20), card: "stolen", accountDays: 0.01).Verdict);
        var next = story.Pay("another account", 20, Now.AddDays(1), card: "stolen", accountDays: 0);
        Assert.NotEqual(Verdict.Authorize, next.Verdict);
        Assert.Contains(next.Rules, rule => rule.Rule == "FollowsStopped");
    }

    [Fact]
    public void Without_device_and_address_payments_are_screened_by_the_rest()
    {
        var facts = new PaymentFacts(Guid.CreateVersion7(), Now, "ada", "card", null, null, null, 30, "EUR", null);
        var keys = HistoryKeys.Of(facts);
        Assert.Equal(2, keys.All().Count());
        Assert.Equal(Verdict.Authorize, new Screener(new()).Screen(facts, keys, new HistoryBook().Of(facts, keys)).Verdict);
    }

    [Fact]
    public void The_same_payments_get_the_same_decisions_however_often_all_is_written_and_read_again()
    {
        Assert.Equal(Play(new ScreeningStories(), restarts: false), Play(new ScreeningStories(), restarts: true));

        static List<string> Play(ScreeningStories story, bool restarts)
        {
            var random = new Random(7);
            var decisions = new List<string>();
            for (var i = 0; i < 600; i++)
            {
                if (restarts && i % 5 == 0)
                    story.Restart();
                var assessment = story.Pay($"s{random.Next(60)}", random.Next(2, 400), Now.AddMinutes(i * 30), card: $"c{random.Next(80)}", device: $"d{random.Next(40)}",
                    address: $"a{random.Next(30)}", accountDays: random.Next(3) == 0 ? 0 : 50, declined: random.Next(4) == 0);
                decisions.Add($"{assessment.Verdict} {assessment.Score} {string.Join(';', assessment.Rules.Select(rule => $"{rule.Rule} {string.Join(',', rule.Features)}"))}");
            }
            Assert.Contains(decisions, decision => !decision.StartsWith("Authorize", StringComparison.Ordinal));
            return decisions;
        }
    }
}
