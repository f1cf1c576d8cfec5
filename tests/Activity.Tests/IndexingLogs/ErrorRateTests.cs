using Shop.Activity.IndexingLogs;

namespace Shop.Activity.Tests.IndexingLogs;

public sealed class ErrorRateTests
{
    private static readonly DateTimeOffset Began = new(2026, 11, 30, 10, 0, 0, TimeSpan.Zero);

    [Fact]
    public void Errors_that_come_again_and_again_are_one_alarm_until_it_has_been_calm()
    {
        var options = new LogOptions { AlarmErrors = 2, AlarmWindow = TimeSpan.FromMinutes(1), AlarmCalm = TimeSpan.FromMinutes(5) };
        var rate = new ErrorRate("payments", "ProviderFailed", Began, Began, 0, null).With(Began, options.AlarmWindow);
        Assert.False(rate.IsToBeRaised(options, Began));
        // too long after the first
        rate = rate.With(Began.AddMinutes(2), options.AlarmWindow);
        Assert.False(rate.IsToBeRaised(options, Began.AddMinutes(2)));
        rate = rate.With(Began.AddMinutes(2.5), options.AlarmWindow);
        Assert.True(rate.IsToBeRaised(options, Began.AddMinutes(2.5)));

        rate = rate with { AlarmId = Guid.CreateVersion7() };
        var at = Began.AddMinutes(2.5);
        for (var i = 0; i < 10; i++)
        {
            at = at.AddMinutes(4);
            Assert.False(rate.IsOver(options, at));
            rate = rate.With(at, options.AlarmWindow);
            Assert.False(rate.IsToBeRaised(options, at));
        }
        Assert.Equal(12, rate.Errors);
        Assert.False(rate.IsOver(options, at.AddMinutes(5)));
        Assert.True(rate.IsOver(options, at.AddMinutes(5.1)));
    }

    [Fact]
    public void An_alarm_is_not_cleared_within_its_window()
    {
        var options = new LogOptions { AlarmWindow = TimeSpan.FromMinutes(10), AlarmCalm = TimeSpan.FromMinutes(1) };
        var rate = new ErrorRate("payments", "", Began, Began, 1, Guid.CreateVersion7());

        Assert.False(rate.IsOver(options, Began.AddMinutes(9)));
        Assert.True(rate.IsOver(options, Began.AddMinutes(11)));
    }
}
