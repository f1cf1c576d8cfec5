using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Shop.Messaging.Operations;
using Shop.Messaging.Tests.Hosting;
using Shop.Testing;

namespace Shop.Messaging.Tests.Operations;

public sealed class SettingsTests(PostgresFixture postgres, BrokerFixture brokers)
{
    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    [InlineData(0.5)]
    public async Task A_memory_too_short_to_know_a_repetition_is_no_start(double hours)
    {
        using var service = await JournalService.CreateAsync(postgres, brokers, Broker.Embedded);

        var refusal = await Assert.ThrowsAsync<OptionsValidationException>(() =>
            service.StartAsync(configure: services => services.Configure<MessagingRetention>(retention => retention.Inbox = TimeSpan.FromHours(hours))));

        Assert.Contains("Messaging:Retention:Inbox must be from", refusal.Message, StringComparison.Ordinal);
    }
}
