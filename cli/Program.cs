using System.CommandLine;
using Shop.Cli;
using Shop.Cli.Devices;
using Shop.Cli.Events;
using Shop.Cli.Query;

var shop = new RootCommand("Looks into a running shop, and has devices send to it.") { EventsCommand.Create(), QueryCommand.Create(), DevicesCommand.Create() };
shop.HelpName = "./shop";
try
{
    return await shop.Parse(args).InvokeAsync(new() { EnableDefaultExceptionHandler = false });
}
catch (CommandFailedException failure)
{
    Console.Error.WriteLine(failure.Message);
    return 1;
}
