namespace Shop.KafkaBroker.Tests;

/// <summary>A producer that goes on while a test changes something, and waiting for what comes of it.</summary>
internal static class Load
{
    /// <summary>Produces to topic "events" until it is told to stop; returns how many records are there.</summary>
    public static async Task<int> ProduceUntilAsync(string bootstrapServers, CancellationToken stop)
    {
        using var producer = Clients.Producer(bootstrapServers);
        var count = 0;
        while (!stop.IsCancellationRequested)
        {
            for (var i = 0; i < 10; i++, count++)
                producer.Produce("events", new() { Key = $"{count}", Value = $"{count}" });
            await Task.Delay(20, CancellationToken.None);
        }
        producer.Flush(TimeSpan.FromMinutes(1));
        return count;
    }

    /// <summary>Waits for a condition; fails the test, with the state it was in, when it does not come.</summary>
    public static async Task UntilAsync(Func<bool> condition, Func<string> state)
    {
        for (var deadline = DateTime.UtcNow + Eventually.DefaultDeadline; !condition();)
        {
            Assert.True(DateTime.UtcNow < deadline, $"it took too long: {state()}");
            await Task.Delay(20, TestContext.Current.CancellationToken);
        }
    }
}
